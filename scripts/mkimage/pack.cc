// Composes, checks and writes an image; see pack.h. Every file is mapped once: hashed, inspected
// and written from the same bytes, so that what was checked is what is in the archive.
#include "pack.h"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "compose.h"
#include "cpio.h"
#include "file.h"
#include "inspect.h"
#include "sha256.h"
#include "tar.h"

namespace copal {
namespace {

// An archive that may not be wanted. The format's writer refers to the file, which therefore has a
// fixed address.
template <class Format>
class Archive {
 public:
  Status open(const std::string& path, std::int64_t mtime) {
    if (path.empty()) return Ok{};
    auto writer = Writer::create(path);
    if (!writer) return writer.error();
    file_ = std::make_unique<Writer>(std::move(*writer));
    format_.emplace(*file_, mtime);
    return Ok{};
  }

  template <class... Arguments>
  Status add(const Arguments&... arguments) {
    return format_ ? format_->add(arguments...) : Ok{};
  }

  Status finish() {
    if (!format_) return Ok{};
    auto status = format_->finish();
    return status ? file_->commit() : status;
  }

 private:
  std::unique_ptr<Writer> file_;
  std::optional<Format> format_;
};

std::map<std::string, std::uint32_t> folders_in(const Image& image) {
  std::map<std::string, std::uint32_t> counts;
  for (const auto& [path, item] : image) {
    if (item.type == 'd' && path != "/") counts[std::string(parent_of(path))]++;
  }
  return counts;
}

class Packer {
 public:
  Packer(Packed& packed, std::uint16_t machine)
      : packed_(packed), inspection_(packed.image, machine) {}

  Status run(const Archives& archives, std::int64_t mtime, const std::vector<AllowSpec>& allows) {
    if (auto status = cpio_.open(archives.cpio, mtime); !status) return status;
    if (auto status = tar_.open(archives.tar, mtime); !status) return status;
    const auto folders = folders_in(packed_.image);
    for (auto& [path, item] : packed_.image) {
      const auto count = folders.find(path);
      if (auto status = item_of(path, item, count == folders.end() ? 0 : count->second); !status)
        return status;
    }
    for (auto& problem : inspection_.finish(allows)) packed_.problems.push_back(std::move(problem));
    if (!packed_.good()) return Ok{};
    auto status = cpio_.finish();
    return status ? tar_.finish() : status;
  }

 private:
  Status item_of(const std::string& path, Item& item, std::uint32_t folders) {
    if (item.type != 'f') return add(path, item, {}, folders);
    const auto content = Mapping::open(item.source);
    if (!content && item.entry.empty()) return content.error();
    if (!content) {
      damaged(item.entry, path + " cannot be read");
      return Ok{};
    }
    const auto hash = sha256(content->bytes());
    if (!item.entry.empty() && hash != item.sha256) {
      damaged(item.entry, path + " has another content than when it was built");
      return Ok{};
    }
    item.sha256 = hash;
    item.size = content->bytes().size();
    inspection_.file(path, item, content->bytes());
    return add(path, item, content->bytes(), folders);
  }

  Status add(const std::string& path, const Item& item, std::string_view content,
             std::uint32_t folders) {
    auto status = cpio_.add(path, item, content, folders);
    return status ? tar_.add(path, item, content) : status;
  }

  void damaged(const std::string& entry, const std::string& what) {
    if (seen_.insert(entry).second) packed_.damaged.push_back(entry + "\t" + what);
  }

  Packed& packed_;
  Inspection inspection_;
  Archive<CpioWriter> cpio_;
  Archive<TarWriter> tar_;
  std::set<std::string> seen_;
};

}  // namespace

Result<Packed> pack(const Spec& spec, std::uint16_t machine, std::int64_t mtime,
                    const Archives& archives) {
  auto composition = compose(spec);
  Packed packed{std::move(composition.image), std::move(composition.problems),
                std::move(composition.damaged)};
  if (!archives.cpio.empty()) {
    for (const auto& [path, item] : packed.image) {
      if (auto fits = fits_cpio(path, item); !fits) packed.problems.push_back(fits.error().what);
    }
  }
  if (!packed.problems.empty())  // what is composed wrongly need not be read
    return packed;
  if (auto status = Packer(packed, machine).run(archives, mtime, spec.allows); !status)
    return status.error();
  return packed;
}

}  // namespace copal
