# shellcheck shell=bash disable=SC2016
# Ninja, compiled directly: its bootstrap compiles everything twice. All of src
# but the tests, what is for Windows, and the browser of graphs.

step_configure() {
    {
        echo 'sources := $(filter-out %_test.cc %test.cc %bench.cc %-win32.cc %.in.cc src/browse.cc, $(wildcard src/*.cc))'
        echo 'ninja: $(sources:.cc=.o); c++ -s -pthread -o $@ $^'
        echo '%.o: %.cc; c++ -O2 -DNDEBUG -DUSE_PPOLL -fno-rtti -fno-exceptions -c -o $@ $<'
    } >Makefile
}

step_build() {
    make
}

step_install() {
    install -D -m 755 ninja "$DESTDIR/host/bin/ninja"
}
