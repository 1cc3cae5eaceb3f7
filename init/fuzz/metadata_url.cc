// URLs, routes and what clouds answer: one line each, the last two being the kernel's tables.
#include "core/text.h"
#include "fuzz.h"
#include "metadata/answer.h"
#include "metadata/choice.h"
#include "metadata/provider.h"

namespace copal {

void fuzz(std::string_view input) {
  const std::string_view url = take_line(input);
  const std::string value(take_line(input));
  std::string problem;
  const auto whole = metadata::substitute(url, {value, value, value, value}, problem);
  hold(whole.has_value() == problem.empty());
  // A value is one word of a path or a query, whatever is in it.
  if (whole && url == "${mac}") hold(whole->find_first_of("/?#&=@ \r\n") == std::string::npos);
  if (metadata::may_redirect(url, value)) {
    hold(!url.starts_with("https://") || value.starts_with("https://"));
  }
  (void)metadata::parse_source(url);
  if (metadata::valid_token(value)) hold(value.find_first_of(" \r\n") == std::string::npos);
  const std::string_view host = metadata::host_label(value);
  hold(host.size() <= 63 && host.find_first_of("./ \n\r") == std::string_view::npos);
  const metadata::Answer answer = metadata::unpack(input);
  hold(answer.text.empty() || metadata::unpack(metadata::pack(answer)).text == answer.text);
  for (const metadata::Provider& provider : metadata::providers()) {
    (void)metadata::read_answer(provider.keys, input);
  }
  const size_t half = std::min(input.find("\n\n"), input.size());
  const std::string_view link = metadata::default_link(input.substr(0, half), input.substr(half));
  hold(link.find_first_of(" \t\n") == std::string_view::npos);
}

}  // namespace copal
