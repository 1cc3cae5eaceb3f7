// SHA-256 by OpenSSL's libcrypto. The library's calls fail only when memory runs out or the library
// itself is broken; no build can go on from there, so that ends the program.
#include "sha256.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <openssl/evp.h>

namespace copal {
namespace {

void must(bool ok) {
  if (!ok) {
    (void)std::fputs("SHA-256 of libcrypto does not work\n", stderr);
    std::abort();
  }
}

}  // namespace

void Sha256::Free::operator()(evp_md_ctx_st* context) const {
  EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  must(context_ != nullptr && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

void Sha256::update(std::string_view data) {
  must(EVP_DigestUpdate(context_.get(), data.data(), data.size()) == 1);
}

std::string Sha256::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  must(EVP_DigestFinal_ex(context_.get(), digest.data(), &size) == 1);
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(std::size_t{2} * size);
  for (unsigned i = 0; i < size; i++) {
    text += kDigits[digest.at(i) >> 4U];
    text += kDigits[digest.at(i) & 15U];
  }
  return text;
}

std::string sha256(std::string_view data) {
  Sha256 hash;
  hash.update(data);
  return hash.hex();
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace copal
