// SPDX-License-Identifier: BSD-2-Clause
#include "commands/live_looks.h"

#include <algorithm>
#include <utility>

#include "diagnose/descriptors.h"
#include "diagnose/group.h"
#include "model/units.h"
#include "system/host.h"

namespace waitclose::commands {

Result<std::unique_ptr<Looks>> Looks::open(const Request& request) {
    std::unique_ptr<Looks> looks(new Looks(request));
    auto session = Session::open(request.probes, *looks, looks.get());
    if (!session) return tl::unexpected(session.error());
    looks->session_ = std::move(*session);
    return looks;
}

void Looks::wait() const {
    if (look_.valid()) look_.wait();
    if (work_.valid()) work_.wait();
}

void Looks::begin(const Wanted& wanted) {
    in_look([this, wanted] { return take_look(wanted); });
}

void Looks::begin_sorting(const model::Census& census, const Wanted& wanted) {
    in_look([this, &census, wanted]() -> Result<live::Look> { return sort(census, wanted); });
}

template <typename Work>
void Looks::in_look(Work work) {
    look_ = in_background([this, work = std::move(work)] {
        const std::uint64_t before_ns = system::own_cpu_ns();
        auto found = work();
        cost_ns_ = system::own_cpu_ns() - before_ns;
        return found;
    });
}

std::optional<Result<live::Look>> Looks::take() {
    if (!look_.valid() || busy()) return std::nullopt;
    return look_.get();
}

Result<live::Look> Looks::take_look(const Wanted& wanted) {
    auto census = session_->take_next_census();
    if (!census) return tl::unexpected(census.error());
    if (recorder_) {
        record_diagnoses(*writer_, *session_, *census, request_.selection);
        keep_up();
    }
    remember(*census);
    auto kept = std::make_unique<model::Census>(std::move(*census));
    live::Look look = sort(*kept, wanted);
    look.census = std::move(kept);
    return look;
}

/// Gives the census the look to compare with: about a minute old, where there is one.
void Looks::remember(model::Census& census) {
    while (earlier_.size() > 1 && earlier_[1].taken_ns + model::kMinute <= census.taken_ns)
        earlier_.pop_front();
    if (!earlier_.empty() && earlier_.front().taken_ns + 10 * model::kSecond <= census.taken_ns)
        census.earlier = earlier_.front();
    if (earlier_.empty() || earlier_.back().taken_ns + 3 * model::kSecond <= census.taken_ns)
        earlier_.push_back(diagnose::look_of(census));
}

live::Look Looks::sort(const model::Census& census, const Wanted& wanted) {
    live::Look look;
    look.filter = wanted.number;
    std::vector<std::uint32_t> selected;
    std::vector<std::uint32_t> others;
    for (std::uint32_t i = 0; i < census.sockets.size(); ++i) {
        const model::Socket& socket = census.sockets[i];
        if (model::is_wanted(census, socket, wanted.selection))
            (passes(census, socket, wanted.filter) ? selected : others).push_back(i);
        else if (model::Hold* hold = session_->ledger().find({socket.netns, socket.cookie}))
            // One that is too young is told of when it has come of age.
            hold->told = census.held_ns(socket) < wanted.selection.min_held_ns ? 0 : live::kNotAskedFor;
    }
    look.listeners = model::listeners_meant(census, selected, wanted.selection);
    look.left_out = model::left_out(census, wanted.selection, wanted.selects_addresses).total();
    if (wanted.filter.any) look.left_out = census.sockets.size() - selected.size();
    look.groups = diagnose::group(census, selected, diagnose::Members::kKeep);
    for (const diagnose::Group& group : look.groups)
        tell(census, group.all, live::fingerprint(live::key_of(group)));
    // Their ends are told of when the filter has gone.
    if (!others.empty()) look.others = diagnose::group(census, others, diagnose::Members::kKeep);
    for (diagnose::Group& group : look.others)
        tell(census, std::exchange(group.all, {}), live::fingerprint_left_out(live::key_of(group)));
    look.diagnoser = std::make_unique<diagnose::Diagnoser>(census);
    // What the first diagnosis works out for the whole census is better done here than while drawing.
    if (!look.groups.empty())
        static_cast<void>(look.diagnoser->diagnose(census.sockets[look.groups.front().oldest_socket]));
    return look;
}

void Looks::tell(const model::Census& census, const std::vector<std::uint32_t>& sockets, std::uint64_t told) {
    for (const std::uint32_t index : sockets) {
        const model::Socket& socket = census.sockets[index];
        model::Hold* hold = session_->ledger().find({socket.netns, socket.cookie});
        if (!hold) continue;
        hold->told = told;
        hold->place = index;
    }
}

live::Shown Wanted::shown() const {
    live::Shown shown{selection.min_held_ns, selection.by_holder(), {}, number};
    if (filter.any)
        shown.passes = [filter = filter](const live::Ended& ended) { return passes(ended, filter); };
    return shown;
}

void Looks::closed(const model::Closed& closed) {
    ended_.add(closed);
    if (recorder_) recorder_->closed(closed);
}

}  // namespace waitclose::commands
