summary = JSON for C++, as one header
version = 3.11.3
licence = MIT
source  = debian:nlohmann-json3/nlohmann-json3_$(version).orig.tar.gz
sha256  = 0d8ef5af7f9794e3263480193c491549b2ba6cc74bb018906202ada498a79406
build   = own
