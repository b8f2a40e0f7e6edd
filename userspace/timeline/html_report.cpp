// SPDX-License-Identifier: BSD-2-Clause
#include "timeline/html_report.h"

#include <fmt/format.h>

#include "output/escape.h"
#include "timeline/html/page.h"
#include "timeline/html_data.h"

namespace waitclose::timeline {

namespace {

/// Text between tags.
std::string html_text(std::string_view raw) {
    std::string html;
    for (const char byte : output::printable(raw)) {
        switch (byte) {
        case '&': html += "&amp;"; break;
        case '<': html += "&lt;"; break;
        case '>': html += "&gt;"; break;
        default: html += byte;
        }
    }
    return html;
}

std::string paragraphs(const std::vector<std::string>& texts) {
    std::string html;
    for (const std::string& text : texts) html += "<p>" + html_text(text) + "</p>";
    return html;
}

std::string row(const std::vector<std::string>& cells, std::string_view tag) {
    std::string html = "<tr>";
    for (const std::string& cell : cells) html += fmt::format("<{0}>{1}</{0}>", tag, html_text(cell));
    return html + "</tr>";
}

/// The section as a whole, or nothing.
std::string threads_section(const std::vector<std::vector<std::string>>& rows) {
    if (rows.size() < 2) return {};
    std::string html =
        "<section id=\"threads-section\" aria-labelledby=\"threads-title\"><div class=\"title\"><h2 "
        "id=\"threads-title\">What the threads did</h2></div><div class=\"wide\"><table id=\"threads\" "
        "aria-labelledby=\"threads-title\"><thead>";
    html += row(rows.front(), "th") + "</thead><tbody>";
    for (std::size_t i = 1; i < rows.size(); ++i) html += row(rows[i], "td");
    return html + "</tbody></table></div></section>";
}

std::string title(const Timeline& timeline) {
    std::string text = "waitclose";
    if (timeline.hostname != StringId::kNone) text += ": " + std::string(timeline.text(timeline.hostname));
    return html_text(text);
}

std::string made_by(const Timeline& timeline) {
    if (timeline.program == StringId::kNone) return {};
    return html_text("Recorded by " + std::string(timeline.text(timeline.program)) + ".");
}

}  // namespace

void write_html(const Timeline& timeline, const ReportWords& words, const Options& options,
                output::Sink& sink, const ReportLimits& limits) {
    std::string_view rest = html::page();
    // Up to the mark; then what stands in its place is written by the caller.
    const auto until = [&rest, &sink](std::string_view mark) {
        const std::size_t at = rest.find(mark);
        sink.write(rest.substr(0, at));
        rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + mark.size());
    };
    until("@TITLE@");
    sink.write(title(timeline));
    until("@WHERE@");
    sink.write(html_text(words.where));
    until("@STORY@");
    sink.write(paragraphs(words.sentences));
    until("@LOSSES@");
    sink.write(paragraphs(words.losses));
    until("@NOTES@");
    sink.write(paragraphs(words.notes));
    until("@THREADS@");
    sink.write(threads_section(words.threads));
    until("@MADE@");
    sink.write(made_by(timeline));
    until("@DATA@");
    ReportData(timeline, words, limits, options, sink).write();
    sink.write(rest);
}

}  // namespace waitclose::timeline
