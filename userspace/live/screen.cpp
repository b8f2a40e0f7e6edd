// SPDX-License-Identifier: BSD-2-Clause
#include "live/screen.h"

#include <algorithm>

#include "output/layout.h"
#include "output/utf8.h"

namespace waitclose::live {

Screen::Screen(Size size) : size_(size), cells_(size.rows * size.columns) {}

std::size_t Screen::put(std::size_t row, std::size_t column, std::string_view text, Role role,
                        std::size_t width) {
    if (row >= size_.rows || column >= size_.columns) return column;
    const std::string piece = output::fit(text, std::min(width, size_.columns - column), charset_);
    std::size_t last = column;
    for (std::string_view left = piece; !left.empty();) {
        const output::Decoded next = output::decode_utf8(left);
        const std::size_t columns = output::width_of(next.point);
        if (columns == 0) {
            cell(row, last).text += left.substr(0, next.length);
        } else {
            last = column;
            cell(row, column) = {std::string(left.substr(0, next.length)), role, cell(row, column).selected,
                                 false};
            for (std::size_t i = 1; i < columns; ++i) {
                cell(row, column + i).text.clear();
                cell(row, column + i).role = role;
            }
            column += columns;
        }
        left.remove_prefix(next.length);
    }
    return column;
}

void Screen::select(std::size_t row) {
    for (std::size_t column = 0; row < size_.rows && column < size_.columns; ++column)
        cell(row, column).selected = true;
}

void Screen::strike(std::size_t row, std::size_t columns) {
    for (std::size_t column = 0; row < size_.rows && column < std::min(columns, size_.columns); ++column)
        cell(row, column).struck = true;
}

namespace {

char letter_of(const Cell& cell) {
    constexpr std::string_view kLetters = " dstawgCRBI";
    return kLetters[static_cast<std::size_t>(cell.role)];
}

template <typename Piece>
std::string joined(const Screen& screen, Piece piece) {
    std::string text;
    for (std::size_t row = 0; row < screen.size().rows; ++row) {
        std::string line;
        for (std::size_t column = 0; column < screen.size().columns; ++column)
            line += piece(row, column, screen.at(row, column));
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    }
    return text;
}

}  // namespace

std::string text_of(const Screen& screen) {
    return joined(screen, [](std::size_t, std::size_t, const Cell& cell) { return cell.text; });
}

std::string roles_of(const Screen& screen) {
    return joined(screen, [](std::size_t, std::size_t column, const Cell& cell) {
        if (column == 0 && cell.selected) return '>';
        if (column == 0 && cell.struck) return 'x';
        return letter_of(cell);
    });
}

}  // namespace waitclose::live
