// Recipes: what is right is read as Make would, and each mistake is told with its file, its line,
// and what to write instead.
#include "recipe.h"

#include <gtest/gtest.h>

#include "assignments.h"
#include "support.h"
#include "variables.h"

namespace copal::test {
namespace {

const std::string some_pin(64, 'a');
const std::string other_pin(64, 'b');

// One assignment as `name=value` or `name+=value`, with @line behind it.
std::vector<std::string> parsed(const std::string& text) {
  Problems problems;
  std::vector<std::string> all;
  for (const auto& found : parse_assignments("t.mk", text, problems))
    all.push_back(found.name + (found.append ? "+=" : "=") + found.value + "@" +
                  std::to_string(found.line));
  EXPECT_TRUE(problems.empty()) << problems.error().what;
  return all;
}

std::string problem(const std::string& text) {
  Problems problems;
  parse_assignments("t.mk", text, problems);
  return problems.empty() ? "" : problems.error().what;
}

using Texts = std::vector<std::string>;

TEST(Assignments, AreReadAsMakeReadsThem) {
  EXPECT_EQ(parsed("a = b\n"), Texts{"a=b@1"});
  EXPECT_EQ(parsed("# why\n\n  a:=b  c \n"), Texts{"a=b  c@3"});
  EXPECT_EQ(parsed("a=b\na+=c\na += d"), (Texts{"a=b@1", "a+=c@2", "a+=d@3"}));
  EXPECT_EQ(parsed("a\t=\tb\n"), Texts{"a=b@1"});
  EXPECT_EQ(parsed("a =\n"), Texts{"a=@1"});
  EXPECT_EQ(parsed("a = b = c: d\n"), Texts{"a=b = c: d@1"});
  EXPECT_EQ(parsed("c-$(A) += $(B:C=D)\n"), Texts{"c-$(A)+=$(B:C=D)@1"});
  EXPECT_EQ(parsed("x-$(a=b) = c\n"), Texts{"x-$(a=b)=c@1"});
  EXPECT_EQ(parsed(""), Texts{});
}

TEST(Assignments, AreContinuedByABackslash) {
  EXPECT_EQ(parsed("a = b\\\nc\nd = e\n"), (Texts{"a=b c@1", "d=e@3"}));
  EXPECT_EQ(parsed("a = \\\n\tb\\\n\tc\n"), Texts{"a=b \tc@1"});
  EXPECT_EQ(parsed("# a comment \\\na = b\n"), Texts{"a=b@2"});
  EXPECT_EQ(problem("x = y\na = b \\\n"),
            "t.mk:2: the last line ends with a backslash; complete it");
}

TEST(Assignments, MayHaveAHashInAWord) {
  EXPECT_EQ(parsed("a = https://x/y#z\n"), Texts{"a=https://x/y#z@1"});
  EXPECT_EQ(parsed("a = b \\# c\n"), Texts{"a=b # c@1"});
  EXPECT_EQ(parsed("a = \\#b\n"), Texts{"a=#b@1"});
  EXPECT_EQ(parsed("a = b\\\\#c \\\\\\#d e\\f\n"), Texts{"a=b\\#c \\#d e\\f@1"});
  const auto* const advice =
      "t.mk:1: a comment has a line of its own; a # that is meant is written \\#";
  EXPECT_EQ(problem("a = b # c\n"), advice);
  EXPECT_EQ(problem("a = b\t#c\n"), advice);
  EXPECT_EQ(problem("a = # c\n"), advice);
}

TEST(Assignments, AreAllThatThereIs) {
  for (const auto* word : {"ifeq ($(A),y)", "ifneq (a,b)", "ifdef A", "ifndef A", "else", "endif",
                           "define a", "endef", "include a.mk", "-include a.mk", "export A = b",
                           "override a = b", "unexport A", "undefine a"})
    EXPECT_TRUE(
        says(problem("# a\n" + std::string(word) + "\n"),
             "is not for a recipe; a condition is part of a name: configure-$(CONFIG_X) +="))
        << word;
  for (const auto* rule : {"all: a", "all:", "a.o: a.c ; cc", ".PHONY: all"})
    EXPECT_EQ(problem(rule), "t.mk:1: a rule; what a build does belongs into its build script")
        << rule;
  EXPECT_EQ(problem("a = b\n\techo\n"),
            "t.mk:2: a line that begins with a tab; what a build does belongs into its build "
            "script");
  for (const auto* text : {"a", "a b", "$(error a)", "$(eval a = b)", "ifeq(a,b)"})
    EXPECT_EQ(problem(text), "t.mk:1: this is no assignment; write name = value") << text;
  EXPECT_EQ(problem("a ?= b"), "t.mk:1: '?=' is not for a recipe; write = or +=");
  EXPECT_EQ(problem("a != ls"), "t.mk:1: '!=' is not for a recipe; write = or +=");
  EXPECT_EQ(problem("a ::= b"), "t.mk:1: '::=' is not for a recipe; write = or +=");
  EXPECT_EQ(problem("= b"), "t.mk:1: there is no name before the =; write name = value");
  EXPECT_EQ(problem("a b = c"), "t.mk:1: 'a b' is not one name; write name = value");
  EXPECT_TRUE(says(problem("all: a = b"), "t.mk:1: 'all: a' is not one name"));
}

TEST(Assignments, HaveNoCharactersThatNobodySees) {
  EXPECT_EQ(problem("a = b\nc = d\r\n"),
            "t.mk:2: the line ends with a carriage return; save the file with Unix line ends");
  EXPECT_EQ(problem("a = b\x01\n"), "t.mk:1: a control character (1); remove it");
  EXPECT_EQ(problem(std::string("a = \0b\n", 7)), "t.mk:1: a control character (0); remove it");
}

TEST(Assignments, GatherAllMistakes) {
  EXPECT_EQ(problem("a ?= b\nc\n"),
            "t.mk:1: '?=' is not for a recipe; write = or +=\n"
            "t.mk:2: this is no assignment; write name = value");
  std::string many;
  for (int i = 0; i < 20; i++) many += "a\n";
  EXPECT_TRUE(problem(many).ends_with("\nand 4 more"));
}

class Recipes : public ::testing::Test {
 protected:
  Recipes() : inside(scratch.path()), globals("config.mk", nullptr) {
    globals.set("CONFIG_LIGHT", "y");
    globals.set("CONFIG_DARK", "");
    globals.set("CONFIG_DIM", "");
    globals.set("CONFIG_COLOUR", "red");
    globals.set("HOST_ARCH", "x86_64");
    globals.set("TARGET_ARGS", "--target");
  }

  Recipe read(const std::string& text) {
    scratch.write("packages/thing/thing.mk", text);
    found = Problems();
    return read_recipe("packages/thing/thing.mk", globals, {"autotools", "make", "own"}, found);
  }
  // As a whole and right, but for these lines; they begin with line 3.
  Recipe good(const std::string& lines) { return read("version = 1\nbuild = make\n" + lines); }
  // What is said of these lines, without the path.
  std::string wrong(const std::string& lines) {
    good(lines);
    auto text = found.empty() ? "" : found.error().what;
    const std::string path = "packages/thing/thing.mk";
    for (auto at = text.find(path); at != std::string::npos; at = text.find(path))
      text.erase(at, path.size());
    return text;
  }
  std::string value(const std::string& lines, const std::string& field) {
    const auto recipe = good(lines);
    EXPECT_TRUE(found.empty()) << found.error().what;
    return recipe.text(field);
  }

  Scratch scratch;
  Inside inside;
  Variables globals;
  Problems found;
};

TEST_F(Recipes, AreReadWhole) {
  const auto recipe = read(
      "# A thing\nsummary   = Small thing\nversion   = 1.2\nlicence   = MIT\n"
      "source    = debian:thing/thing_$(version).orig.tar.gz\nsha256    = " +
      some_pin +
      "\ndepends   = host-make\ndepends  += zlib\nbuild     = autotools\n"
      "configure = --a $(TARGET_ARGS)\nconfigure-$(CONFIG_LIGHT) += --light\n"
      "configure-$(CONFIG_DARK) += --dark\nimage     = /usr/bin/thing\n");
  ASSERT_TRUE(found.empty()) << found.error().what;
  EXPECT_EQ(recipe.name, "thing");
  EXPECT_EQ(recipe.folder, "packages/thing");
  EXPECT_EQ(recipe.text("source"), "debian:thing/thing_1.2.orig.tar.gz");
  EXPECT_EQ(recipe.text("configure"), "--a --target --light");
  EXPECT_EQ(recipe.text("image"), "/usr/bin/thing");
  EXPECT_EQ(recipe.text("tags"), "");
  const auto depends = recipe.words("depends");
  ASSERT_EQ(depends.size(), 2U);
  EXPECT_EQ(depends[1].text, "zlib");
  EXPECT_EQ(depends[1].line, 8);
  EXPECT_EQ(recipe.place("build").line, 9);
}

TEST_F(Recipes, TellHostFromTarget) {
  for (const auto& [name, host] : std::vector<std::pair<std::string, bool>>{
           {"host-x", true}, {"cross-x", true}, {"hostx", false}, {"x-host-", false}}) {
    Recipe recipe;
    recipe.name = name;
    EXPECT_EQ(recipe.is_host(), host) << name;
  }
}

TEST_F(Recipes, KnowVariables) {
  EXPECT_EQ(value("x = 1\ny = a$(x)b\nmake = $(y) $(y)\n", "make"), "a1b a1b");
  EXPECT_EQ(value("make = $(x)\nx = 1\nx += 2\n", "make"), "1 2");
  EXPECT_EQ(value("pins-x86_64 = one\npins-arm = two\nmake = $(pins-$(HOST_ARCH))\n", "make"),
            "one");
  EXPECT_EQ(value("pins-arm = two\nmake = a $(pins-$(HOST_ARCH))\n", "make"), "a");
  EXPECT_EQ(
      value("kind-$(CONFIG_LIGHT) = light\nkind-$(CONFIG_DARK) = dark\nmake = $(kind-y)\n", "make"),
      "light");
  EXPECT_EQ(value("kind-$(CONFIG_DARK) = dark\nmake = a $(kind-y)\n", "make"), "a");
  EXPECT_EQ(value("make = a$$b $$(c)\n", "make"), "a$b $(c)");
  EXPECT_EQ(value("make = a $(tags)\n", "make"), "a");
  EXPECT_EQ(value("make = a\\$()\n", "make"), "a\\");
  EXPECT_EQ(value("make-y = b\nmake = a\n", "make"), "a b");
}

// Of conditions that are off nothing is left, and so they cannot meet.
TEST_F(Recipes, SetWhatIsOffAsOftenAsTheyLike) {
  EXPECT_EQ(value("kind-$(CONFIG_DARK) = a\nkind-$(CONFIG_DIM) = b\nmake = c $(kind-y)\n", "make"),
            "c");
}

TEST_F(Recipes, DoNotLeakTheirVariables) {
  good("helper = 1\nmake = $(helper)\n");
  EXPECT_TRUE(found.empty());
  EXPECT_FALSE(globals.has("helper"));
  EXPECT_EQ(wrong("make = $(helper)\n"), ":3: there is no variable $(helper)");
}

TEST_F(Recipes, ExplainNamesThatAreNone) {
  EXPECT_EQ(wrong("depend = zlib\n"),
            ":3: there is no field 'depend', and nothing uses a variable of that name. Did you "
            "mean depends?");
  EXPECT_EQ(wrong("confgure-$(CONFIG_LIGHT) += --x\n"),
            ":3: there is no field 'confgure', and nothing uses a variable of that name. Did you "
            "mean configure?");
  EXPECT_EQ(wrong("helper = 1\n"),
            ":3: there is no field 'helper', and nothing uses a variable of that name");
  EXPECT_EQ(wrong("configure-$(CONFIG_LIHGT) += --x\n"),
            ":3: there is no symbol CONFIG_LIHGT. Did you mean CONFIG_LIGHT?");
  EXPECT_EQ(wrong("configure = $(CONFIG_LIHGT)\n"),
            ":3: there is no symbol CONFIG_LIHGT. Did you mean CONFIG_LIGHT?");
  EXPECT_EQ(wrong("go-tags = x\n"),
            ":3: there is no field 'go-tags', and nothing uses a variable of that name");
  EXPECT_TRUE(says(wrong("configure-n = x\n"), ":3: there is no field 'configure-n'"));
}

// What is neither on nor off would be dropped without a word.
TEST_F(Recipes, ExplainConditionsThatAreNone) {
  EXPECT_TRUE(says(wrong("configure-$(CONFIG_COLOUR) += --x\n"),
                   ":3: nothing uses configure-red; a condition is"));
  EXPECT_TRUE(says(wrong("sha256-$(HOST_ARCH) = " + some_pin + "\n"),
                   ":3: nothing uses sha256-x86_64; a condition"));
  EXPECT_EQ(value("make-$(CONFIG_COLOUR) = a\nmake-blue = b\nmake = $(make-$(CONFIG_COLOUR)) c\n",
                  "make"),
            "a c");
}

TEST_F(Recipes, ExplainReferences) {
  EXPECT_EQ(
      wrong("make = a\nmake += $T\n"),
      ":4: $T is $(T) to Make; write $$T for a variable of the shell, $(T) for one of the recipe");
  EXPECT_TRUE(says(wrong("make = $TARGET-x\n"), ":3: $TARGET is $(T) to Make; write $$TARGET for"));
  EXPECT_TRUE(says(wrong("make = ${T}\n"), ":3: a $ by itself; write $$ for"));
  EXPECT_TRUE(says(wrong("make = a$\n"), ":3: a $ by itself"));
  EXPECT_EQ(wrong("make = $(T\n"), ":3: a $( that is not closed; write $(name)");
  EXPECT_EQ(wrong("make = $(subst a,b,$(version))\n"),
            ":3: $(subst a,b,$(version)): a recipe has no functions; write out what it comes to");
  for (const auto* function :
       {"$(shell ls)", "$(foreach v,a b,$(v))", "$(if $(version),a)", "$(call f,a)"})
    EXPECT_TRUE(says(wrong("make = " + std::string(function) + "\n"), "a recipe has no functions"))
        << function;
  EXPECT_EQ(wrong("make = $(make) a\n"),
            ":3: $(make) refers to itself; write += to add to a value");
  EXPECT_EQ(wrong("a = $(b)\nb = $(a)\nmake = $(a)\n"),
            ":4: $(a) refers to itself; write += to add to a value");
  EXPECT_EQ(wrong("make = a\nmake = b\n"),
            ":4: make is set in line 3 already; write += to add to it");
  EXPECT_EQ(wrong("make-$(CONFIG_LIGHT) = a\nmake-y = b\n"),
            ":4: make-y is set in line 3 already; write += to add to it");
}

// Of the line where it stands, not of the one that comes to it.
TEST_F(Recipes, ExplainReferencesInVariables) {
  EXPECT_TRUE(says(wrong("x = $T\n\nmake = $(x)\n"), ":3: $T is $(T) to Make"));
  EXPECT_EQ(wrong("x = $(gone)\n\nmake = $(x)\n"), ":3: there is no variable $(gone)");
}

TEST_F(Recipes, NeedVersionAndBuild) {
  read("build = make\n");
  EXPECT_EQ(found.error().what,
            "packages/thing/thing.mk: version is missing; give the recipe a version line");
  read("version = 1\n");
  EXPECT_EQ(found.error().what,
            "packages/thing/thing.mk: build is missing; it is one of autotools, make, own");
  read("version = 1\nbuild = autotool\n");
  EXPECT_EQ(found.error().what,
            "packages/thing/thing.mk:2: there is no build system 'autotool'; there are autotools, "
            "make, own. Did you mean autotools?");
  read("version = 1\nbuild = bazel\n");
  EXPECT_EQ(found.error().what,
            "packages/thing/thing.mk:2: there is no build system 'bazel'; there are autotools, "
            "make, own");
  for (const auto* version : {"1/2", "1 2", "-1", "1%", "$$1", "1:2"}) {
    read("version = " + std::string(version) + "\nbuild = make\n");
    ASSERT_FALSE(found.empty()) << version;
    EXPECT_TRUE(says(found.error().what, "thing.mk:1: version '")) << version;
  }
  for (const auto* version : {"1", "2.0.1", "1.0-rc1", "20250101", "0~git1+x_y"}) {
    read("version = " + std::string(version) + "\nbuild = make\n");
    EXPECT_TRUE(found.empty()) << version;
  }
}

TEST_F(Recipes, AreThereAndCanBeNamed) {
  Problems problems;
  read_recipe("packages/gone/gone.mk", globals, {"make"}, problems);
  EXPECT_EQ(problems.error().what,
            "packages/gone/gone.mk: cannot read packages/gone/gone.mk: No such file or directory");
  for (const auto* name : {"Thing", "th_ing", "-thing", "th ing", "th$ing", ".thing"}) {
    const auto path = "packages/thing/" + std::string(name) + ".mk";
    scratch.write(path, "version = 1\nbuild = make\n");
    Problems said;
    read_recipe(path, globals, {"make"}, said);
    ASSERT_FALSE(said.empty()) << name;
    EXPECT_EQ(
        said.error().what,
        path + ": a package's name may only have a-z 0-9 + . - and begins with a letter or digit");
  }
}

TEST_F(Recipes, HaveSourcesOfAKnownForm) {
  for (const auto* uri : {"debian:zlib/zlib_1.3.orig.tar.gz", "pypi:meson/meson-1.9.1.tar.gz",
                          "go:golang.org/toolchain@v0.0.1-go1.2",
                          "go:github.com/a/b/v2@v2.0.0+incompatible", "go-vendor:nomad-1.9.tar.gz",
                          "https://x.example/y/z-1.tar.gz", "https://x.example/z.tar.gz"})
    EXPECT_EQ(wrong("source = " + std::string(uri) + "\nsha256 = " + some_pin + "\n"), "") << uri;
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"debian:zlib.tar.gz", "write debian:<source package>/<file>"},
      {"debian:zlib/", "write debian:<source package>/<file>"},
      {"debian:/zlib.tar.gz", "write debian:<source package>/<file>"},
      {"debian:a/b/zlib.tar.gz", "write debian:<source package>/<file>"},
      {"debian:a/..", "write debian:<source package>/<file>"},
      {"pypi:meson", "write pypi:<project>/<file>"},
      {"go:golang.org/x", "write go:<module>@v<version>"},
      {"go:golang.org/x@1.2", "write go:<module>@v<version>"},
      {"go:@v1", "write go:<module>@v<version>"},
      {"go:a@v1@v2", "write go:<module>@v<version>"},
      {"go:a/../b@v1", "write go:<module>@v<version>"},
      {"go:a/b:c@v1", "write go:<module>@v<version>"},
      {"go:a/b%@v1", "write go:<module>@v<version>"},
      {"go-vendor:a/b.tar.gz", "write go-vendor:<file>"},
      {"go-vendor:", "write go-vendor:<file>"},
      {"http://x.example/z.tar.gz", "write https://<host>/<path>/<file>"},
      {"https://x.example/", "write https://<host>/<path>/<file>"},
      {"https://x.example", "write https://<host>/<path>/<file>"},
      {"https:///z.tar.gz", "write https://<host>/<path>/<file>"},
      {"https:x.example/y/z/z.tar.gz", "write https://<host>/<path>/<file>"},
      {"https://x.example/z.tar.gz?raw=1", "without ? and #"},
      {"https://x.example/z.tar.gz#top", "without ? and #"},
      {"https://x.example/-z", "write https://<host>/<path>/<file>"},
      {"git://x.example/z", "(docs/sources.md)"},
      {"zlib.tar.gz", "(docs/sources.md)"},
  };
  for (const auto& [uri, advice] : bad) {
    const auto said = wrong("sha256 = " + some_pin + "\nsource = " + uri + "\n");
    EXPECT_TRUE(says(said, ":4: source '" + uri + "'; write "));
    EXPECT_TRUE(says(said, advice)) << uri;
  }
}

TEST_F(Recipes, NameTheFileOfASource) {
  EXPECT_EQ(source_file("debian:zlib/zlib_1.3.orig.tar.gz"), "zlib_1.3.orig.tar.gz");
  EXPECT_EQ(source_file("go:golang.org/toolchain@v0.1"), "toolchain-v0.1.zip");
  EXPECT_EQ(source_file("go-vendor:nomad.tar.gz"), "nomad.tar.gz");
  EXPECT_EQ(source_file("https://x.example/y/z.tar.gz"), "z.tar.gz");
}

TEST_F(Recipes, HaveAPinForEachSource) {
  const std::string two = "source = pypi:a/a.tar\nsource += pypi:b/b.tar\n";
  EXPECT_EQ(wrong(two + "sha256 = " + some_pin + " " + other_pin + "\n"), "");
  EXPECT_EQ(wrong(two + "sha256 = " + some_pin + "\n"),
            ":3: 2 sources but 1 sha256 pins. Every source needs its pin, in the same order");
  EXPECT_TRUE(says(wrong("sha256 = " + some_pin + "\n"), ":3: 0 sources but 1 sha256 pins"));
  EXPECT_TRUE(says(wrong("source = pypi:a/a.tar\n"), ":3: 1 sources but 0 sha256 pins"));
  for (const auto& pin :
       {std::string("abc"), std::string(64, 'A'), std::string(64, 'g'), std::string(65, 'a')})
    EXPECT_EQ(wrong("source = pypi:a/a.tar\nsha256 = " + pin + "\n"),
              ":4: sha256 '" + pin + "' is not 64 lower-case hex digits");
  EXPECT_EQ(wrong("source = pypi:a/x.tar\nsource += pypi:b/x.tar\nsha256 = " + some_pin + " " +
                  other_pin + "\n"),
            ":4: two sources are called x.tar in /src");
}

TEST_F(Recipes, MayNameWhereTheSourceIsFrom) {
  const std::string one = "source = pypi:a/a.tar\nsha256 = " + some_pin + "\n";
  EXPECT_EQ(wrong(one + "upstream = https://x.example/a.tar\n"), "");
  EXPECT_TRUE(says(wrong(one + "upstream = a.tar\n"), ":5: upstream 'a.tar'; write "));
  EXPECT_TRUE(says(wrong("upstream = https://x.example/a.tar\n"), ":3: upstream without a source"));
}

TEST_F(Recipes, NameWhatTheyDependOn) {
  EXPECT_EQ(wrong("depends = zlib host-make libstdc++ a.b\n"), "");
  EXPECT_EQ(wrong("depends = zlib\ndepends += Zlib\n"), ":4: 'Zlib' is no name of a package");
  EXPECT_EQ(wrong("entries = a/b\n"), ":3: 'a/b' is no name of a package");
}

TEST_F(Recipes, NamePathsOfTheRepository) {
  EXPECT_EQ(
      wrong("files = init/src packages/x/ board/x?\nfragments = kernel/a.config?\nsrcdir = a/b\n"),
      "");
  EXPECT_EQ(
      wrong("files = /init/src\n"),
      ":3: '/init/src' is an absolute path; write it as it is below the top of the repository");
  for (const auto* path : {"../x", "a/../b", "./a", "a//b", "?"})
    EXPECT_TRUE(
        says(wrong("files = " + std::string(path) + "\n"), "is no path; write it as it is below"))
        << path;
  EXPECT_EQ(wrong("overlays = overlays/base /srv/overlay? board//overlay?\n"), "");
  EXPECT_TRUE(says(wrong("overlays = ../x\n"), ":3: '../x' is no path"));
  EXPECT_TRUE(says(wrong("scripts = ../x.sh\n"),
                   ":3: '../x.sh'; write the name of a file in scripts/build"));
  EXPECT_EQ(wrong("image = /usr/bin/x /etc/x\n"), "");
  for (const auto* path : {"usr/bin/x", "/usr/../x", "/", "/usr/"})
    EXPECT_EQ(wrong("image = " + std::string(path) + "\n"),
              ":3: '" + std::string(path) +
                  "'; write an absolute path of the package's output, as /usr/bin/x");
}

TEST_F(Recipes, CloseTheirQuotes) {
  for (const auto* text : {"--a='b c' \"d e\"", "a\\'b", "\"a'b\"", "'a\"b'", "'\\'", "\"\\\"\""})
    EXPECT_EQ(wrong("configure = " + std::string(text) + "\n"), "") << text;
  EXPECT_EQ(wrong("configure = --a\nmake = --b='c\n"), ":4: a ' that is not closed: --b='c");
  EXPECT_EQ(wrong("install = \"a\n"), ":3: a \" that is not closed: \"a");
  EXPECT_TRUE(says(wrong("configure = '\\''\n"), ":3: a ' that is not closed"));
}

TEST_F(Recipes, NameSymbolsThatThereAre) {
  EXPECT_EQ(wrong("symbols = CONFIG_LIGHT CONFIG_DARK\n"), "");
  EXPECT_EQ(wrong("symbols = CONFIG_LIGTH\n"),
            ":3: there is no symbol CONFIG_LIGTH. Did you mean CONFIG_LIGHT?");
  EXPECT_TRUE(says(wrong("symbols = HOST_ARCH\n"), ":3: there is no symbol HOST_ARCH"));
}

TEST_F(Recipes, HaveUsersThatAnImageCanHave) {
  EXPECT_EQ(wrong("users = log:1 _a-b9:65533\n"),
            ":3: user '_a-b9:65533'; write <name>:<number>, the name of "
            "small letters, digits, _ and -");
  EXPECT_EQ(wrong("users = log:1 a_b-9:65533\n"), "");
  EXPECT_EQ(wrong("users = root:5\n"),
            ":3: user 'root:5': root is in every image; take another name");
  EXPECT_TRUE(says(wrong("users = nobody:5\n"), "nobody is in every image"));
  for (const auto* user :
       {"foo:-1", "foo:0", "foo:70000", "foo:65534", "foo", "foo:", "foo:007", "foo:1:2", "foo:x"})
    EXPECT_EQ(wrong("users = " + std::string(user) + "\n"),
              ":3: user '" + std::string(user) +
                  "'; write <name>:<number> with a number from 1 to 65533");
  for (const auto* user : {":5", "Foo:5", "9foo:5", "f.o:5"})
    EXPECT_TRUE(says(wrong("users = " + std::string(user) + "\n"), "the name of small letters"))
        << user;
  EXPECT_TRUE(says(wrong("users = " + std::string(32, 'a') + ":5\n"), "the name of small letters"));
}

TEST_F(Recipes, HaveFewOtherWords) {
  EXPECT_EQ(wrong("sandbox = none\n"), "");
  EXPECT_EQ(wrong("sandbox = no\n"), ":3: sandbox = no; write none, or leave it out");
  EXPECT_EQ(wrong("go-replace = a=b@v1\n"), "");
  EXPECT_EQ(wrong("go-replace = a\n"), ":3: 'a'; write <module>@<version>");
}

TEST_F(Recipes, HaveALicenceThatIsTaken) {
  EXPECT_EQ(wrong("licence = MIT AND Zlib\n"), "");
  EXPECT_TRUE(says(wrong("licence = BUSL-1.1\n"), ":3: BUSL-1.1 is not an open-source licence"));
  globals.set("CONFIG_ACCEPT_LICENCE_BUSL_1_1", "y");
  EXPECT_EQ(wrong("licence = BUSL-1.1\n"), "");
}

}  // namespace
}  // namespace copal::test
