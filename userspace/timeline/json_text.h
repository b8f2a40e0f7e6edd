// SPDX-License-Identifier: BSD-2-Clause
// JSON written piece by piece into a sink, for files too long to be built in memory. In ASCII, as
// output::dump() writes it: what is not ASCII becomes \uXXXX, bytes that are not UTF-8 become U+FFFD. '<' is
// escaped as well, so that no text can end a script element the JSON is put into.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "output/sink.h"

namespace waitclose::timeline {

/// Commas are set as needed; that keys and values, beginnings and ends match is the caller's part.
class JsonText {
public:
    explicit JsonText(output::Sink& sink) : sink_(sink) { buffer_.reserve(kPiece + kSlack); }
    JsonText(const JsonText&) = delete;
    JsonText& operator=(const JsonText&) = delete;
    ~JsonText() { hand_over(); }

    void begin_object() { open('{'); }
    void end_object() { close('}'); }
    void begin_array() { open('['); }
    void end_array() { close(']'); }

    /// A line ends here: for people, for `tail -f`, and for the pieces of NDJSON (which want no comma between
    /// them).
    void end_line() { buffer_ += '\n'; }
    void end_document() {
        buffer_ += '\n';
        comma_ = false;
    }

    /// `name` is ours: plain ASCII with nothing to escape.
    JsonText& key(std::string_view name) {
        separate();
        buffer_ += '"';
        buffer_ += name;
        buffer_ += "\":";
        comma_ = false;
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
    static constexpr std::size_t kPiece = 32 * 1024;
    static constexpr std::size_t kSlack = 4 * 1024;

    void separate() {
        if (comma_) buffer_ += ',';
        if (buffer_.size() >= kPiece) hand_over();
    }
    void open(char sign) {
        separate();
        buffer_ += sign;
        comma_ = false;
    }
    void close(char sign) {
        buffer_ += sign;
        comma_ = true;
    }
    void plain(std::string_view text) {
        separate();
        buffer_ += text;
        comma_ = true;
    }
    template <typename Integer>
    void digits(Integer value) {
        char text[24];
        const auto [end, error] = std::to_chars(text, text + sizeof text, value);
        plain({text, static_cast<std::size_t>(end - text)});
    }
    void hand_over() {
        sink_.write(buffer_);
        buffer_.clear();
    }

    output::Sink& sink_;
    std::string buffer_;
    bool comma_ = false;
};

}  // namespace waitclose::timeline
