#include "core/identity.h"

#include "helpers.h"

namespace copal {
namespace {

using namespace std::string_view_literals;

TEST(Identity, OfAUuid) {
  EXPECT_EQ(id_of_uuid("4C4C4544-0042-3510-8054-b7c04f4d3232\n").text(),
            "4c4c4544004235108054b7c04f4d3232");
  EXPECT_EQ(id_of_uuid("").text(), "");
  EXPECT_EQ(id_of_uuid("4c4c4544-0042").text(), "");
  EXPECT_EQ(id_of_uuid("00000000-0000-0000-0000-000000000000").text(), "");
  EXPECT_EQ(id_of_uuid("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF").text(), "");
}

// A vendor's placeholder, that all its boards have.
TEST(Identity, OfNoUuidThatManyBoardsShare) {
  for (const char* shared :
       {"03000200-0400-0500-0006-000700080009", "00020003-0004-0005-0006-000700080009",
        "12345678-1234-5678-90AB-CDDEEFAABBCC", "FFFFFF00-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
        "6AB5B300-538D-1014-9FB5-B0684D007B53", "00000000-0000-0000-0807-060504030201",
        "01010101-0101-0101-0101-010101010101", "fefefefe-fefe-fefe-fefe-fefefefefefe\n"}) {
    EXPECT_EQ(id_of_uuid(shared).text(), "") << shared;
  }
  EXPECT_NE(id_of_uuid("03000200-0400-0500-0006-00070008000a").text(), "");
}

TEST(Identity, OfASerialNumber) {
  const Line id = id_of_serial("Raspberry Pi 4 Model B Rev 1.4\0"sv, "10000000abcdef01\0"sv);
  EXPECT_EQ(id.text().size(), 32U);
  EXPECT_EQ(id.text().find_first_not_of("0123456789abcdef"), std::string_view::npos);
  // With or without its end.
  EXPECT_EQ(id_of_serial("Raspberry Pi 4 Model B Rev 1.4", "10000000abcdef01\n").text(), id.text());
  EXPECT_NE(id_of_serial("Raspberry Pi 4 Model B Rev 1.4", "10000000abcdef02").text(), id.text());
  EXPECT_NE(id_of_serial("Raspberry Pi 5", "10000000abcdef01").text(), id.text());
  EXPECT_NE(id_of_serial("ab", "cd1").text(), id_of_serial("abc", "d1").text());
  // It must never change: it is on disks.
  EXPECT_EQ(id_of_serial("a", "bc").text(), "6971299c95757277b806e976f537c123");
}

TEST(Identity, NoneThatTellsMachinesApart) {
  for (const auto serial : {""sv, "\0"sv, "0000000000000000"sv, "ffffffff"sv, " \n"sv})
    EXPECT_EQ(id_of_serial("virt", serial).text(), "");
}

}  // namespace
}  // namespace copal
