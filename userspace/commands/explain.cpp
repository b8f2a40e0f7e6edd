// SPDX-License-Identifier: BSD-2-Clause
#include "commands/explain.h"

#include <fmt/format.h>

#include "diagnose/diagnoser.h"
#include "diagnose/group.h"
#include "output/explain.h"
#include "output/style.h"

namespace waitclose::commands {
namespace {

using Kind = model::Target::Kind;

std::string name_of(Kind kind, std::uint32_t number) {
    return kind == Kind::kPort ? fmt::format("local port {}", number) : fmt::format("process {}", number);
}

std::string meant_text(const model::Matches& found, std::uint32_t number) {
    std::string text = "the holds of " + name_of(found.kind, number);
    if (found.was_either)
        text += fmt::format("; {} is a local port here, too: type port:{} for that", number, number);
    return text;
}

Failure not_found(const ExplainRequest& request, const model::Census& census, std::size_t selected) {
    const auto& target = request.target;
    const std::string what =
        target.kind == Kind::kSocket ? fmt::format("no hold has the id {}", request.typed)
        : target.kind == Kind::kProcessOrPort
            ? fmt::format("neither process {} nor local port {} has a hold", target.number, target.number)
            : name_of(target.kind, target.number) + " has no hold";
    const bool narrowed = selected < census.sockets.size();
    return {narrowed ? what + " among those that your other options select" : what,
            "'waitclose snapshot --sockets --min-held 0' lists what is held, with --json also the ids"};
}

}  // namespace

Result<ExplainRequest> check_explain(const std::string& text) {
    constexpr std::size_t kMostShown = 60;
    if (const auto target = model::parse_target(text)) return ExplainRequest{*target, text};
    const std::string shown = text.substr(0, kMostShown);
    return tl::unexpected(
        Failure{fmt::format("--explain: '{}' is neither the id of a hold, nor a pid, nor a port", shown),
                "give an id of the JSON (4026531840:73012), a number, or pid:4121 or port:8080"});
}

Result<void> explain(output::Sink& sink, const model::Census& census,
                     const std::vector<std::uint32_t>& selected, const ExplainRequest& request,
                     const Request& common) {
    const model::Matches found = model::match(census, selected, request.target);
    if (found.sockets.empty()) return tl::unexpected(not_found(request, census, selected.size()));
    diagnose::Diagnoser diagnoser(census);
    output::Explained explained{census,
                                diagnoser,
                                meant_text(found, request.target.number),
                                found.kind == Kind::kSocket,
                                found.sockets.front(),
                                {}};
    if (!explained.one_hold) explained.groups = diagnose::group(census, found.sockets);
    if (common.json)
        output::write_explained_json(sink, explained);
    else
        output::write_explained_text(
            sink, explained, output::style_for(common.color, output::read_terminal(sink.descriptor())));
    return {};
}

}  // namespace waitclose::commands
