// Composes the image from the store: one sorted manifest, checked file by file, and an archive with
// owners and times that nobody had to be root for. The work is in pack.cc and what that includes.
#include <iostream>
#include <string>
#include <vector>

#include "args.h"
#include "elf_check.h"
#include "file.h"
#include "pack.h"
#include "report.h"
#include "spec.h"

namespace {

using namespace copal;

constexpr auto kHelp =
    "Usage: mkimage --like PROGRAM --spec SPEC --manifest OUT --sizes OUT [--cpio OUT] [--tar "
    "OUT]\n"
    "       (at least one of --cpio and --tar; PROGRAM is one of the machine that the image is "
    "for;\n"
    "       SOURCE_DATE_EPOCH in the environment)\n"
    "Exit code: 0 good, 1 something is wrong with the image, 2 usage, 3 a store entry is damaged\n";

void list(const std::vector<std::string>& texts) {
  for (const auto& text : texts) std::cerr << "  " << text << '\n';
}

int report_problems(const Packed& packed, const std::string& spec) {
  if (!packed.damaged.empty()) {
    std::cerr
        << "mkimage: these store entries are damaged; delete them, and they will be built again:\n";
    list(packed.damaged);
  }
  if (!packed.problems.empty()) {
    std::cerr << "mkimage: the image of " << spec << " is not right:\n";
    list(packed.problems);
  }
  return packed.damaged.empty() ? 1 : 3;
}

int run(const Args& args) {
  const auto program = read_file(args.get("like"));
  if (!program) return fail("mkimage", program.error());
  const auto machine = machine_of(*program);
  if (!machine) return fail("mkimage", {args.get("like") + " is no program"});
  const auto mtime = source_date_epoch();
  if (!mtime) return fail("mkimage", mtime.error());
  const auto text = read_file(args.get("spec"));
  if (!text) return fail("mkimage", text.error());
  const auto spec = parse_spec(*text);
  if (!spec) return fail("mkimage", {args.get("spec") + " " + spec.error().what});
  const auto packed = pack(*spec, *machine, *mtime, {args.get("cpio"), args.get("tar")});
  if (!packed) return fail("mkimage", packed.error());
  if (!packed->good()) return report_problems(*packed, args.get("spec"));
  if (auto status = write_file(args.get("manifest"), image_manifest(packed->image)); !status)
    return fail("mkimage", status.error());
  if (auto status = write_file(args.get("sizes"), size_report(packed->image)); !status)
    return fail("mkimage", status.error());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto args = Args::parse({argv + 1, argv + argc},
                                {"like", "spec", "manifest", "sizes", "cpio", "tar"}, {});
  if (!args) return usage(args.error().what + "\n" + kHelp);
  const auto complete = args->require({"like", "spec", "manifest", "sizes"});
  if (!complete || !args->words().empty() || !(args->has("cpio") || args->has("tar")))
    return usage(kHelp);
  return run(*args);
}
