// SPDX-License-Identifier: BSD-2-Clause
#include "store/interner.h"

#include <cstring>
#include <span>

namespace waitclose::store {

bool Interner::prepare(Database& database) {
    insert_text_ = database.prepare("INSERT INTO texts (id, text) VALUES (?, ?)");
    insert_address_ = database.prepare("INSERT INTO addresses (id, address, bytes) VALUES (?, ?, ?)");
    insert_actor_ =
        database.prepare("INSERT INTO actors (id, pid, tid, thread_start_ns, comm) VALUES (?, ?, ?, ?, ?)");
    insert_stack_ = database.prepare("INSERT INTO stacks (id, frames) VALUES (?, ?)");
    insert_frame_ = database.prepare("INSERT INTO frames (stack, depth, function) VALUES (?, ?, ?)");
    insert_call_stack_ = database.prepare("INSERT INTO call_stacks (id, frames) VALUES (?, ?)");
    insert_call_frame_ = database.prepare(
        "INSERT INTO call_frames (stack, depth, function, module, offset, kernel, own) VALUES (?, ?, ?, ?, "
        "?, ?, ?)");
    return insert_text_ && insert_address_ && insert_actor_ && insert_stack_ && insert_frame_ &&
           insert_call_stack_ && insert_call_frame_;
}

std::int64_t Interner::number_of(Known& known, std::int64_t& last, std::string_view key, bool& is_new) {
    const auto found = known.find(key);
    is_new = found == known.end();
    if (!is_new) return found->second;
    if (known.size() >= kMostRemembered) known.clear();
    known.emplace(key, ++last);
    return last;
}

std::int64_t Interner::text(std::string_view text) {
    bool is_new = false;
    const std::int64_t id = number_of(texts_, last_text_, text, is_new);
    if (!is_new) return id;
    insert_text_.bind(1, id);
    insert_text_.bind_text(2, text);
    insert_text_.run();
    return id;
}

std::int64_t Interner::address(model::Family family, const model::Endpoint& endpoint) {
    const std::size_t size = family == model::Family::kIpv4 ? 4 : endpoint.address.size();
    const std::string_view key(reinterpret_cast<const char*>(endpoint.address.data()), size);
    bool is_new = false;
    const std::int64_t id = number_of(addresses_, last_address_, key, is_new);
    if (!is_new) return id;
    const std::string text = model::address_text(family, endpoint);
    insert_address_.bind(1, id);
    insert_address_.bind_text(2, text);
    insert_address_.bind_blob(3, std::span(endpoint.address).first(size));
    insert_address_.run();
    return id;
}

std::int64_t Interner::actor(const model::Actor& actor) {
    static_assert(sizeof(actor) == 32, "a field of Actor is not recorded");
    bool is_new = false;
    const std::string_view key(reinterpret_cast<const char*>(&actor), sizeof(actor));
    const std::int64_t id = number_of(actors_, last_actor_, key, is_new);
    if (!is_new) return id;
    insert_actor_.bind(1, id);
    insert_actor_.bind(2, actor.pid);
    insert_actor_.bind(3, actor.tid);
    insert_actor_.bind(4, static_cast<std::int64_t>(actor.start_ns));
    insert_actor_.bind(5, text(actor.comm_text()));
    insert_actor_.run();
    return id;
}

std::int64_t Interner::stack(const std::vector<std::string>& frames) {
    std::string key;
    for (const std::string& frame : frames) {
        const std::int64_t id = text(frame);
        key.append(reinterpret_cast<const char*>(&id), sizeof(id));
    }
    bool is_new = false;
    const std::int64_t id = number_of(stacks_, last_stack_, key, is_new);
    if (!is_new) return id;
    insert_stack_.bind(1, id);
    insert_stack_.bind(2, static_cast<std::int64_t>(frames.size()));
    insert_stack_.run();
    for (std::size_t depth = 0; depth < frames.size(); ++depth) {
        insert_frame_.bind(1, id);
        insert_frame_.bind(2, static_cast<std::int64_t>(depth));
        insert_frame_.bind(3, text(frames[depth]));
        insert_frame_.run();
    }
    return id;
}

std::int64_t Interner::call_stack(const model::Stack& frames) {
    std::string key;
    const auto add = [&](std::int64_t part) {
        key.append(reinterpret_cast<const char*>(&part), sizeof(part));
    };
    for (const model::Frame& frame : frames) {
        add(text(frame.function));
        add(text(frame.module));
        add(static_cast<std::int64_t>(frame.offset.value_or(0)));
        add((frame.offset ? 4 : 0) | (frame.kernel ? 2 : 0) | (frame.own ? 1 : 0));
    }
    bool is_new = false;
    const std::int64_t id = number_of(call_stacks_, last_call_stack_, key, is_new);
    if (!is_new) return id;
    insert_call_stack_.bind(1, id);
    insert_call_stack_.bind(2, static_cast<std::int64_t>(frames.size()));
    insert_call_stack_.run();
    for (std::size_t depth = 0; depth < frames.size(); ++depth) {
        const model::Frame& frame = frames[depth];
        insert_call_frame_.bind(1, id);
        insert_call_frame_.bind(2, static_cast<std::int64_t>(depth));
        insert_call_frame_.bind(3, text(frame.function));
        insert_call_frame_.bind(4, text(frame.module));
        if (frame.offset)
            insert_call_frame_.bind(5, static_cast<std::int64_t>(*frame.offset));
        else
            insert_call_frame_.bind_null(5);
        insert_call_frame_.bind(6, frame.kernel);
        insert_call_frame_.bind(7, frame.own);
        insert_call_frame_.run();
    }
    return id;
}

std::uint64_t Interner::identity(std::uint64_t address) {
    if (address == 0) return 0;
    const auto [place, is_new] = identities_.try_emplace(address, last_identity_ + 1);
    if (is_new) ++last_identity_;
    return place->second;
}

}  // namespace waitclose::store
