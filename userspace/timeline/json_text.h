// SPDX-License-Identifier: BSD-2-Clause
// JSON written piece by piece into a sink, for files too long to be built in memory. In ASCII, as
// output::dump() writes it: what is not ASCII becomes \uXXXX, bytes that are not UTF-8 become U+FFFD. '<' is
// escaped as well, so that no text can end a script element the JSON is put into.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <type_traits>
#include <vector>

#include "output/sink.h"

namespace waitclose::timeline {

/// Commas are set as needed; that keys and values, beginnings and ends match is the caller's part.
class JsonText {
public:
    explicit JsonText(output::Sink& sink) : sink_(sink), buffer_(kPiece) {}
    JsonText(const JsonText&) = delete;
    JsonText& operator=(const JsonText&) = delete;
    ~JsonText() { hand_over(); }

    void begin_object() { open('{'); }
    void end_object() { close('}'); }
    void begin_array() { open('['); }
    void end_array() { close(']'); }

    /// A line ends here: for people, for `tail -f`, and for the pieces of NDJSON (which want no comma between
    /// them).
    void end_line() {
        *room(1) = '\n';
        ++used_;
    }
    void end_document() {
        end_line();
        comma_ = false;
    }

    /// `name` is ours: short, plain ASCII with nothing to escape.
    JsonText& key(std::string_view name) {
        char* out = begin_value(name.size() + 3);
        *out++ = '"';
        std::memcpy(out, name.data(), name.size());
        out += name.size();
        *out++ = '"';
        *out++ = ':';
        end_value(out, false);
        return *this;
    }

    void null() { plain("null"); }
    void boolean(bool value) { plain(value ? "true" : "false"); }
    void number(std::uint64_t value) { digits(value); }
    void number(std::int64_t value) { digits(value); }
    void number(std::uint32_t value) { digits(value); }
    void number(std::int32_t value) { digits(value); }
    void number(std::uint16_t value) { digits(value); }
    void number(double value);  // null when it is not finite

    /// A count of thousandths with its decimals: 1234567 is 1234.567. Exact, other than a double.
    void thousandths(std::uint64_t value);

    /// Raw bytes from anywhere.
    void text(std::string_view bytes);

    /// The value, or null.
    template <typename T>
    void maybe(const std::optional<T>& value) {
        if (!value) {
            null();
        } else if constexpr (std::is_same_v<T, bool>) {
            boolean(*value);
        } else {
            number(*value);
        }
    }

private:
    /// As much as a sink hands on without copying it first.
    static constexpr std::size_t kPiece = std::size_t{64} * 1024;

    /// So many bytes to write at, one after the other; `bytes` is small against a piece.
    char* room(std::size_t bytes) {
        if (kPiece - used_ < bytes) hand_over();
        return buffer_.data() + used_;
    }
    /// The same for a key or a value, with the comma before it.
    char* begin_value(std::size_t bytes) {
        char* out = room(bytes + 1);
        if (comma_) *out++ = ',';
        return out;
    }
    void end_value(const char* end, bool comma_follows) {
        used_ = static_cast<std::size_t>(end - buffer_.data());
        comma_ = comma_follows;
    }
    void open(char sign) {
        char* out = begin_value(1);
        *out++ = sign;
        end_value(out, false);
    }
    void close(char sign) {
        char* out = room(1);
        *out++ = sign;
        end_value(out, true);
    }
    void plain(std::string_view text) {
        char* out = begin_value(text.size());
        std::memcpy(out, text.data(), text.size());
        end_value(out + text.size(), true);
    }
    template <typename Integer>
    void digits(Integer value) {
        constexpr std::size_t kMost = 24;
        char* out = begin_value(kMost);
        end_value(std::to_chars(out, out + kMost, value).ptr, true);
    }
    void hand_over() {
        sink_.write({buffer_.data(), used_});
        used_ = 0;
    }

    output::Sink& sink_;
    std::vector<char> buffer_;
    std::size_t used_ = 0;
    bool comma_ = false;
};

}  // namespace waitclose::timeline
