// What the image asks of every ELF file; see elf_check.h. The file may be anything: every offset in
// it is checked before it is used.
#include "elf_check.h"

#include <algorithm>
#include <cstring>
#include <elf.h>
#include <utility>

#include "text.h"

namespace copal {
namespace {

// A copy of the T at this offset: the file need not be aligned.
template <class T>
std::optional<T> read_at(std::string_view bytes, std::uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

template <class T>
std::optional<std::vector<T>> table_at(std::string_view bytes, std::uint64_t offset,
                                       std::uint64_t count) {
  if (offset > bytes.size() || (bytes.size() - offset) / sizeof(T) < count) return std::nullopt;
  std::vector<T> table(count);
  if (count != 0) std::memcpy(table.data(), bytes.data() + offset, count * sizeof(T));
  return table;
}

std::string_view string_at(std::string_view bytes, std::uint64_t offset) {
  if (offset >= bytes.size()) return {};
  const auto rest = bytes.substr(offset);
  return rest.substr(0, rest.find('\0'));
}

struct Dynamic {
  bool present = false;
  bool bind_now = false;
  bool text_relocations = false;
  bool says_pie = false;
  std::string run_path;
  std::vector<std::string> needed;
};

class Inspector {
 public:
  Inspector(std::string_view bytes, std::uint16_t machine) : bytes_(bytes), machine_(machine) {}

  Elf run() {
    const auto header = read_at<Elf64_Ehdr>(bytes_, 0);
    if (!header) return malformed("ends within the header");
    if (!check_machine(*header)) return std::move(elf_);
    check_build_paths();
    if (header->e_type == ET_REL)
      return std::move(elf_);  // a kernel module; see check_type in inspect.cc
    if (header->e_type != ET_DYN && header->e_type != ET_EXEC) {
      find("type", "is neither a program nor a library nor a module (ELF type " +
                       std::to_string(header->e_type) + ")");
      return std::move(elf_);
    }
    auto segments = header->e_phentsize == sizeof(Elf64_Phdr)
                        ? table_at<Elf64_Phdr>(bytes_, header->e_phoff, header->e_phnum)
                        : std::nullopt;
    if (!segments || segments->empty()) return malformed("has no readable program headers");
    segments_ = std::move(*segments);
    if (!read_dynamic()) return malformed("has a dynamic section outside of the file");
    check_kind(header->e_type);
    check_segments();
    check_sections(*header);
    return std::move(elf_);
  }

 private:
  void find(std::string check, std::string what) {
    elf_.findings.push_back({std::move(check), std::move(what)});
  }

  Elf malformed(std::string what) {
    find("malformed", std::move(what));
    return std::move(elf_);
  }

  bool check_machine(const Elf64_Ehdr& header) {
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB)
      find("machine", "is not a 64-bit little-endian ELF file");
    else if (header.e_machine != machine_)
      find("machine", "is for another machine (ELF machine " + std::to_string(header.e_machine) +
                          " instead of " + std::to_string(machine_) + ")");
    else
      return true;
    return false;
  }

  const Elf64_Phdr* segment(std::uint32_t type) const {
    const auto found = std::find_if(segments_.begin(), segments_.end(),
                                    [&](const Elf64_Phdr& s) { return s.p_type == type; });
    return found == segments_.end() ? nullptr : &*found;
  }

  std::optional<std::uint64_t> file_offset(std::uint64_t address) const {
    for (const auto& s : segments_) {
      if (s.p_type == PT_LOAD && address >= s.p_vaddr && address - s.p_vaddr < s.p_filesz)
        return s.p_offset + (address - s.p_vaddr);
    }
    return std::nullopt;
  }

  bool read_dynamic() {
    if (const auto* s = segment(PT_INTERP)) elf_.interpreter = string_at(bytes_, s->p_offset);
    const auto* s = segment(PT_DYNAMIC);
    if (s == nullptr) return true;
    dynamic_.present = true;
    const auto entries = table_at<Elf64_Dyn>(bytes_, s->p_offset, s->p_filesz / sizeof(Elf64_Dyn));
    if (!entries) return false;
    std::vector<std::uint64_t> needed;
    std::vector<std::uint64_t> run_paths;
    std::optional<std::uint64_t> strings;
    for (const auto& entry : *entries) {
      if (entry.d_tag == DT_NULL) break;
      const auto value = entry.d_un.d_val;
      switch (entry.d_tag) {
        case DT_STRTAB: strings = file_offset(value); break;
        case DT_NEEDED: needed.push_back(value); break;
        case DT_RPATH:
        case DT_RUNPATH: run_paths.push_back(value); break;
        case DT_TEXTREL: dynamic_.text_relocations = true; break;
        case DT_BIND_NOW: dynamic_.bind_now = true; break;
        case DT_FLAGS:
          dynamic_.bind_now |= (value & DF_BIND_NOW) != 0;
          dynamic_.text_relocations |= (value & DF_TEXTREL) != 0;
          break;
        case DT_FLAGS_1:
          dynamic_.bind_now |= (value & DF_1_NOW) != 0;
          dynamic_.says_pie = (value & DF_1_PIE) != 0;
          break;
        default: break;
      }
    }
    if (!strings && !(needed.empty() && run_paths.empty())) return false;
    for (const auto offset : needed) elf_.needed.emplace_back(string_at(bytes_, *strings + offset));
    for (const auto offset : run_paths)
      dynamic_.run_path += (dynamic_.run_path.empty() ? "'" : ", '") +
                           std::string(string_at(bytes_, *strings + offset)) + "'";
    return true;
  }

  void check_kind(std::uint16_t type) {
    if (type == ET_EXEC)
      find(
          "pie",
          "is not position-independent (build it with -fPIE and link it with -pie or -static-pie)");
    if (segment(PT_GNU_RELRO) == nullptr)
      find("relro", "has no read-only relocations (link it with -z relro)");
    const bool static_pie = dynamic_.says_pie && elf_.interpreter.empty() && elf_.needed.empty();
    if (dynamic_.present && !static_pie && !dynamic_.bind_now)
      find("bind-now",
           "binds symbols lazily, so that a table of code addresses stays writable (link it with "
           "-z now)");
    if (dynamic_.text_relocations)
      find("textrel", "has text relocations (some object was not built with -fPIC or -fPIE)");
    if (!dynamic_.run_path.empty())
      find("rpath", "has a run path " + dynamic_.run_path + " (link it without -rpath)");
  }

  void check_segments() {
    const auto* stack = segment(PT_GNU_STACK);
    if (stack == nullptr)
      find("stack", "does not say that its stack is not executable (no PT_GNU_STACK)");
    else if ((stack->p_flags & PF_X) != 0)
      find("stack",
           "asks for an executable stack (an assembly file without .note.GNU-stack, or a nested "
           "function)");
    for (const auto& s : segments_) {
      if (s.p_type == PT_LOAD && (s.p_flags & PF_W) != 0 && (s.p_flags & PF_X) != 0) {
        find("wx", "has a segment that is writable and executable");
        break;
      }
    }
  }

  void check_sections(const Elf64_Ehdr& header) {
    if (header.e_shoff == 0) return;
    const auto sections = header.e_shentsize == sizeof(Elf64_Shdr)
                              ? table_at<Elf64_Shdr>(bytes_, header.e_shoff, header.e_shnum)
                              : std::nullopt;
    if (!sections) {
      find("malformed", "has section headers outside of the file");
      return;
    }
    const auto is_symbols = [](const Elf64_Shdr& s) { return s.sh_type == SHT_SYMTAB; };
    if (std::any_of(sections->begin(), sections->end(), is_symbols))
      find("strip", "is not stripped");
  }

  // The folders of the sandbox that builds use (docs/recipes.md): nothing on the machine is there.
  // Only where a path begins: 'github.com/x/build/y' in a Go program is not one of them, nor is
  // '/build/cancel' in Docker's API.
  void check_build_paths() {
    static constexpr std::array<std::string_view, 7> kFolders = {
        "/build/src/", "/build/obj/", "/build/files/", "/build/go",
        "/host/",      "/sysroot/",   "/out/usr/"};
    for (const auto folder : kFolders) {
      for (auto at = bytes_.find(folder); at != std::string_view::npos;
           at = bytes_.find(folder, at + 1)) {
        if (continues_path(bytes_.substr(0, at))) continue;
        const auto text = bytes_.substr(at, 80);
        const auto end =
            std::find_if(text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; });
        find("build-path", "holds a path of the build: " + std::string(text.begin(), end));
        break;
      }
    }
  }

  // Whether what stands before a slash makes it the middle of a longer path (-I and -L do not).
  static bool continues_path(std::string_view before) {
    if (before.empty() || before.ends_with("-I") || before.ends_with("-L")) return false;
    const char c = before.back();
    const auto in = [c](char first, char last) { return c >= first && c <= last; };
    return in('a', 'z') || in('A', 'Z') || in('0', '9') ||
           std::string_view("._-/})*").find(c) != std::string_view::npos;
  }

  std::string_view bytes_;
  std::uint16_t machine_;
  std::vector<Elf64_Phdr> segments_;
  Dynamic dynamic_;
  Elf elf_;
};

}  // namespace

bool is_elf(std::string_view bytes) {
  return bytes.starts_with(std::string_view(ELFMAG, SELFMAG));
}

std::optional<std::uint16_t> machine_of(std::string_view bytes) {
  const auto header = read_at<Elf64_Ehdr>(bytes, 0);
  if (!header || !is_elf(bytes)) return std::nullopt;
  return header->e_machine;
}

Elf inspect_elf(std::string_view bytes, std::uint16_t machine) {
  return Inspector(bytes, machine).run();
}

}  // namespace copal
