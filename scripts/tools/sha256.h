// SHA-256 by OpenSSL's libcrypto, as lower-case hex digits: the only form in which the tools use
// it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace copal {

class Sha256 {
 public:
  Sha256();
  void update(std::string_view data);
  std::string hex();  // ends the computation

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

std::string sha256(std::string_view data);
bool is_sha256(std::string_view text);

}  // namespace copal
