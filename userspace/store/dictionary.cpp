// SPDX-License-Identifier: BSD-2-Clause
#include "store/dictionary.h"

#include <algorithm>
#include <limits>
#include <memory>

namespace waitclose::store {
namespace {

/// A row of a table with that number; the statement has to be reset afterwards.
bool find(Statement& statement, std::int64_t id) {
    statement.reset();
    statement.bind(1, id);
    return statement.step() == Statement::Step::kRow;
}

bool is_u32(const Statement& row, int at) {
    return row.is_integer(at) && row.integer(at) >= 0 &&
           row.integer(at) <= std::numeric_limits<std::uint32_t>::max();
}

}  // namespace

bool Dictionary::prepare(Database& database) {
    select_text_ = database.prepare("SELECT text FROM texts WHERE id = ?");
    select_address_ = database.prepare("SELECT bytes FROM addresses WHERE id = ?");
    select_actor_ = database.prepare("SELECT pid, tid, thread_start_ns, comm FROM actors WHERE id = ?");
    select_stack_ = database.prepare("SELECT frames FROM stacks WHERE id = ?");
    select_frames_ = database.prepare("SELECT function FROM frames WHERE stack = ? AND depth = ?");
    select_call_stack_ = database.prepare("SELECT frames FROM call_stacks WHERE id = ?");
    select_call_frames_ = database.prepare(
        "SELECT function, module, offset, kernel, own FROM call_frames WHERE stack = ? AND depth = ?");
    return select_text_ && select_address_ && select_actor_ && select_frames_ && select_stack_;
}

template <typename Value, typename Read>
bool Dictionary::look_up(std::unordered_map<std::int64_t, Value>& known, std::int64_t id, Value& value,
                         const Read& read) {
    if (const auto found = known.find(id); found != known.end()) {
        value = found->second;
        return true;
    }
    if (!read()) return false;
    if (known.size() >= kMostRemembered) known.clear();
    known.emplace(id, value);
    return true;
}

bool Dictionary::text(std::int64_t id, std::string& text) {
    return look_up(texts_, id, text, [&] {
        const bool found = find(select_text_, id);
        const auto bytes = found ? select_text_.bytes(0) : std::nullopt;
        if (bytes) text.assign(*bytes);
        select_text_.reset();
        return bytes.has_value();
    });
}

bool Dictionary::address(std::int64_t id, model::Family family, model::Endpoint& endpoint) {
    Address address;
    const bool known = look_up(addresses_, id, address, [&] {
        const bool found = find(select_address_, id);
        const auto bytes = found ? select_address_.bytes(0) : std::nullopt;
        const bool good = bytes && (bytes->size() == 4 || bytes->size() == 16);
        if (good) {
            address.first = bytes->size() == 4 ? model::Family::kIpv4 : model::Family::kIpv6;
            std::copy(bytes->begin(), bytes->end(), address.second.begin());
        }
        select_address_.reset();
        return good;
    });
    if (known) endpoint.address = address.second;
    return known && address.first == family;
}

bool Dictionary::read_actor(std::int64_t id, model::Actor& actor) {
    if (!find(select_actor_, id) || !is_u32(select_actor_, 0) || !is_u32(select_actor_, 1)) return false;
    actor = {};
    actor.pid = static_cast<std::uint32_t>(select_actor_.integer(0));
    actor.tid = static_cast<std::uint32_t>(select_actor_.integer(1));
    actor.start_ns = static_cast<std::uint64_t>(select_actor_.integer(2));
    std::string comm;
    if (!text(select_actor_.integer(3), comm) || comm.size() > actor.comm.size()) return false;
    std::copy(comm.begin(), comm.end(), actor.comm.begin());
    return true;
}

bool Dictionary::actor(std::int64_t id, model::Actor& actor) {
    return look_up(actors_, id, actor, [&] {
        const bool good = read_actor(id, actor);
        select_actor_.reset();
        return good;
    });
}

bool Dictionary::read_stack(std::int64_t id, model::KernelStack& stack) {
    if (!find(select_stack_, id) || !select_stack_.is_integer(0)) return false;
    const std::int64_t count = select_stack_.integer(0);
    if (count < 0 || count > static_cast<std::int64_t>(kDeepestStack)) return false;
    std::vector<std::string> frames(static_cast<std::size_t>(count));
    for (std::int64_t depth = 0; depth < count; ++depth) {
        select_frames_.reset();
        select_frames_.bind(1, id);
        select_frames_.bind(2, depth);
        if (select_frames_.step() != Statement::Step::kRow) return false;
        if (!text(select_frames_.integer(0), frames[static_cast<std::size_t>(depth)])) return false;
    }
    stack = std::make_shared<const std::vector<std::string>>(std::move(frames));
    return true;
}

bool Dictionary::stack(std::int64_t id, model::KernelStack& stack) {
    return look_up(stacks_, id, stack, [&] {
        const bool good = read_stack(id, stack);
        select_frames_.reset();
        select_stack_.reset();
        return good;
    });
}

/// Of the row that select_call_frames_ is at.
bool Dictionary::read_call_frame(model::Frame& frame) {
    const Statement& row = select_call_frames_;
    if (!row.is_integer(0) || !row.is_integer(1)) return false;
    if (!text(row.integer(0), frame.function) || !text(row.integer(1), frame.module)) return false;
    name_bytes_ += frame.function.size() + frame.module.size();
    if (!row.is_null(2)) {
        if (!row.is_integer(2)) return false;
        frame.offset = static_cast<std::uint64_t>(row.integer(2));
    }
    const auto is_truth = [&](int at) { return row.is_integer(at) && (row.integer(at) | 1) == 1; };
    if (!is_truth(3) || !is_truth(4)) return false;
    frame.kernel = row.integer(3) != 0;
    frame.own = row.integer(4) != 0;
    return name_bytes_ <= kMostNameBytes;
}

bool Dictionary::read_call_stack(std::int64_t id, model::StackRef& stack) {
    if (!select_call_stack_ || !select_call_frames_) return false;
    if (!find(select_call_stack_, id) || !select_call_stack_.is_integer(0)) return false;
    const std::int64_t count = select_call_stack_.integer(0);
    if (count < 0 || count > static_cast<std::int64_t>(kDeepestCallStack)) return false;
    model::Stack frames;
    for (std::int64_t depth = 0; depth < count; ++depth) {
        select_call_frames_.reset();
        select_call_frames_.bind(1, id);
        select_call_frames_.bind(2, depth);
        if (select_call_frames_.step() != Statement::Step::kRow) return false;
        if (!read_call_frame(frames.emplace_back())) return false;
    }
    stack = std::make_shared<const model::Stack>(std::move(frames));
    return true;
}

bool Dictionary::call_stack(std::int64_t id, model::StackRef& stack) {
    return look_up(call_stacks_, id, stack, [&] {
        const bool good = read_call_stack(id, stack);
        select_call_frames_.reset();
        select_call_stack_.reset();
        return good;
    });
}

}  // namespace waitclose::store
