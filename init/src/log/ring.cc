#include "log/ring.h"

#include <cstring>

namespace copal::log {
namespace {

// Stands before each text. All have lengths that are multiples of 8, so that at the end of the
// memory there is always room for a `sequence`: zero there says that it goes on at its beginning.
struct Header {
  uint64_t sequence;
  uint64_t number;
  Stamp stamp;
  uint32_t size;
  uint8_t level;
};

}  // namespace

uint64_t Rings::length(const Record& record) {
  return (sizeof(Header) + record.text.size() + 7) / 8 * 8;
}

void Rings::add(size_t index, uint8_t level, Stamp stamp, std::string_view text) {
  Ring& ring = rings_[index];
  const Record record{++records_, ++ring.records, stamp, level, ring.name, text};
  const uint64_t end = ring.end + length(record);
  const bool wraps = ring.end / each_ != (end - 1) / each_;
  const uint64_t place = wraps ? end / each_ * each_ : ring.end;
  const uint64_t new_end = place + length(record);
  while (ring.begin + each_ < new_end) {
    const auto oldest = at(index, ring.begin);
    ring.begin = oldest ? ring.begin + length(*oldest) : ring.end;
  }
  if (wraps) std::memset(bytes(index, ring.end), 0, sizeof Header::sequence);
  const Header header{record.sequence, record.number, stamp, static_cast<uint32_t>(text.size()),
                      level};
  std::memcpy(bytes(index, place), &header, sizeof header);
  std::memcpy(bytes(index, place) + sizeof header, text.data(), text.size());
  ring.end = new_end;
}

std::optional<Record> Rings::at(size_t index, uint64_t& place) const {
  const Ring& ring = rings_[index];
  place = std::max(place, ring.begin);
  while (place < ring.end) {
    uint64_t sequence = 0;
    std::memcpy(&sequence, bytes(index, place), sizeof sequence);
    if (sequence == 0) {
      place = (place / each_ + 1) * each_;
      continue;
    }
    Header header{};
    std::memcpy(&header, bytes(index, place), sizeof header);
    const auto* const text = reinterpret_cast<const char*>(bytes(index, place) + sizeof header);
    return Record{header.sequence, header.number, header.stamp,
                  header.level,    ring.name,     {text, header.size}};
  }
  return {};
}

std::optional<size_t> Rings::find(std::string_view name) const {
  for (size_t i = 0; i < rings_.size(); ++i) {
    if (rings_[i].name == name) return i;
  }
  return {};
}

void Reader::start(const Rings& rings, std::optional<size_t> only, uint64_t newest) {
  only_ = only;
  const uint64_t all = only ? rings[*only].records : rings.records();
  wanted_ = all == 0 ? 1 : newest < all ? all - newest + 1 : 0;
  std::fill_n(places_.begin(), rings.size(), 0);
}

std::optional<Record> Reader::next(const Rings& rings) {
  const auto number = [&](const Record& r) { return only_ ? r.number : r.sequence; };
  std::optional<Record> best;
  size_t from = 0;
  for (size_t i = only_.value_or(0); i < (only_ ? *only_ + 1 : rings.size()); ++i) {
    auto record = rings.at(i, places_[i]);
    for (; record && number(*record) < wanted_; record = rings.at(i, places_[i])) {
      places_[i] += Rings::length(*record);
    }
    if (!record || (best && record->sequence > best->sequence)) continue;
    best = record;
    from = i;
  }
  if (!best) return {};
  const uint64_t missed = wanted_ == 0 ? 0 : number(*best) - wanted_;
  wanted_ = number(*best);
  if (missed > 0) {
    note_ = Line("(", missed, " lines left out)");
    return Record{best->sequence - 1, 0, best->stamp, kWarning, "log", note_.text()};
  }
  ++wanted_;
  places_[from] += Rings::length(*best);
  return best;
}

}  // namespace copal::log
