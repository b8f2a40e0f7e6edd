// SPDX-License-Identifier: BSD-2-Clause
#include "symbols/python.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "symbols/standing.h"
#include "system/process_memory.h"

namespace waitclose::symbols {
namespace {

constexpr std::size_t kMostInterpreters = 16;
constexpr std::size_t kMostThreads = 16384;
constexpr std::size_t kMostFrames = 256;
constexpr std::uint64_t kLongestText = 4096;
constexpr std::uint64_t kLongestCode = 16 << 20;
constexpr std::size_t kMostFunctions = 1 << 16;
constexpr int kTries = 3;
constexpr std::string_view kLoop = "_PyEval_EvalFrameDefault";

/// Offsets in the interpreter's structures, of 64-bit builds with the GIL.
struct Layout {
    std::uint64_t interpreters;              // _PyRuntimeState.interpreters.head
    std::uint64_t next_interpreter;          // PyInterpreterState.next
    std::uint64_t threads;                   // PyInterpreterState.threads.head
    std::uint64_t next_thread;               // PyThreadState.next
    std::uint64_t native_id;                 // PyThreadState.native_thread_id
    std::uint64_t frame;                     // PyThreadState.current_frame, or .cframe
    std::optional<std::uint64_t> of_cframe;  // _PyCFrame.current_frame, before 3.13
    std::uint64_t code;                      // _PyInterpreterFrame.f_code
    std::uint64_t previous;                  // _PyInterpreterFrame.previous
    std::uint64_t mark;                      // _PyInterpreterFrame.is_entry (3.11), .owner
    std::uint64_t file_name;                 // PyCodeObject.co_filename
    std::uint64_t name;                      // PyCodeObject.co_qualname
    std::uint64_t instructions;              // PyCodeObject.co_code_adaptive
    std::uint64_t ascii_size;                // sizeof(PyASCIIObject)
    std::uint64_t compact_size;              // sizeof(PyCompactUnicodeObject)
};

constexpr std::uint32_t kVersion311 = 0x030b;
constexpr std::uint32_t kVersion312 = 0x030c;
constexpr std::uint32_t kVersion313 = 0x030d;
constexpr Layout kLayout311{40, 0, 16, 8, 160, 56, 8, 32, 48, 68, 112, 128, 184, 48, 72};
constexpr Layout kLayout312{40, 0, 72, 8, 144, 56, 0, 0, 8, 70, 112, 128, 192, 40, 56};
/// Since 3.12: a frame that stands for the C code that entered the loop (FRAME_OWNED_BY_CSTACK).
constexpr std::uint8_t kOwnedByC = 3;

class Memory {
public:
    explicit Memory(std::uint32_t pid) : pid_(pid) {}

    template <typename Number = std::uint64_t>
    std::optional<Number> at(std::uint64_t address) const {
        Number number = 0;
        if (address < 4096 ||
            !system::read_memory(pid_, address, std::as_writable_bytes(std::span(&number, 1))))
            return std::nullopt;
        return number;
    }

    std::optional<std::string> bytes(std::uint64_t address, std::size_t size) const {
        std::string bytes(size, '\0');
        if (size != 0 && !system::read_memory(pid_, address, std::as_writable_bytes(std::span(bytes))))
            return std::nullopt;
        return bytes;
    }

private:
    std::uint32_t pid_;
};

/// 3.13 tells its own layout, at the beginning of its state (_Py_DebugOffsets).
std::optional<Layout> layout_313(const Memory& memory, std::uint64_t state) {
    constexpr std::string_view kCookie = "xdebugpy";
    std::array<std::uint64_t, 64> words{};
    for (std::size_t i = 0; i < words.size(); ++i) {
        const auto word = memory.at(state + i * 8);
        if (!word) return std::nullopt;
        words[i] = *word;
    }
    const bool is_free_threaded = words[2] != 0;
    if (std::memcmp(words.data(), kCookie.data(), kCookie.size()) != 0 || words[1] >> 16 != kVersion313 ||
        is_free_threaded)
        return std::nullopt;
    // Groups, each with its size first: runtime state at 3, interpreter at 6, thread at 19, frame at 28, code
    // at 34.
    const Layout layout{words[5],  words[8],     words[9],  words[21], words[25],
                        words[23], std::nullopt, words[30], words[29], words[33],
                        words[35], words[37],    words[43], 40,        56};
    constexpr std::uint64_t kFarthest = 1 << 20;
    const bool is_sane = std::ranges::all_of(words.begin() + 3, words.begin() + 44,
                                             [](std::uint64_t word) { return word < kFarthest; });
    return is_sane ? std::optional(layout) : std::nullopt;
}

std::optional<Layout> layout_of(const PythonRuntime& runtime, const Memory& memory) {
    if (runtime.version == kVersion311) return kLayout311;
    if (runtime.version == kVersion312) return kLayout312;
    return layout_313(memory, runtime.state);
}

/// The address of the state of a thread.
std::optional<std::uint64_t> thread_state(const Memory& memory, const Layout& layout, std::uint64_t state,
                                          std::uint32_t own_tid) {
    auto interpreter = memory.at(state + layout.interpreters);
    std::size_t threads = 0;
    for (std::size_t i = 0; i < kMostInterpreters && interpreter && *interpreter != 0; ++i) {
        auto thread = memory.at(*interpreter + layout.threads);
        for (; threads < kMostThreads && thread && *thread != 0; ++threads) {
            const auto id = memory.at(*thread + layout.native_id);
            if (id == own_tid) return thread;
            thread = memory.at(*thread + layout.next_thread);
        }
        interpreter = memory.at(*interpreter + layout.next_interpreter);
    }
    return std::nullopt;
}

/// A frame as it stands in memory.
struct RawFrame {
    std::uint64_t address = 0;
    std::uint64_t code = 0;
    std::uint8_t mark = 0;

    bool operator==(const RawFrame&) const = default;
};

std::optional<std::vector<RawFrame>> raw_frames(const Memory& memory, const Layout& layout,
                                                std::uint64_t thread) {
    auto frame = memory.at(thread + layout.frame);
    if (layout.of_cframe) frame = frame ? memory.at(*frame + *layout.of_cframe) : std::nullopt;
    if (!frame) return std::nullopt;
    std::vector<RawFrame> frames;
    while (*frame != 0 && frames.size() < kMostFrames) {
        const auto code = memory.at(*frame + layout.code);
        const auto mark = memory.at<std::uint8_t>(*frame + layout.mark);
        if (!code || !mark) return std::nullopt;
        frames.push_back({*frame, *code, *mark});
        frame = memory.at(*frame + layout.previous);
        if (!frame) return std::nullopt;
    }
    return frames;
}

/// A str object.
std::optional<std::string> text_at(const Memory& memory, const Layout& layout, std::uint64_t address) {
    const auto length = memory.at(address + 16);
    const auto state = memory.at<std::uint32_t>(address + 32);
    if (!length || !state || *length > kLongestText) return std::nullopt;
    const unsigned width = *state >> 2 & 7;
    const bool is_compact = (*state >> 5 & 1) != 0;
    const bool is_ascii = (*state >> 6 & 1) != 0;
    if (!is_compact || (width != 1 && width != 2 && width != 4)) return std::nullopt;
    const auto bytes =
        memory.bytes(address + (is_ascii ? layout.ascii_size : layout.compact_size), *length * width);
    return bytes ? utf8_of(*bytes, width) : std::nullopt;
}

std::optional<PythonFrame> named(const Memory& memory, const Layout& layout, const PythonRuntime& runtime,
                                 std::uint64_t code) {
    if (memory.at(code + 8) != runtime.code_type) return std::nullopt;
    const auto name = memory.at(code + layout.name);
    const auto file = memory.at(code + layout.file_name);
    auto function = name ? text_at(memory, layout, *name) : std::nullopt;
    auto path = file ? text_at(memory, layout, *file) : std::nullopt;
    const auto length = memory.at(code + 16);  // in units of 2 bytes
    if (!function || !path || function->empty() || !length || *length > kLongestCode) return std::nullopt;
    const std::uint64_t begin = code + layout.instructions;
    return PythonFrame{*std::move(function), *std::move(path), false, begin, begin + *length * 2};
}

std::optional<std::vector<PythonFrame>> named(const Memory& memory, const Layout& layout,
                                              const PythonRuntime& runtime,
                                              const std::vector<RawFrame>& frames) {
    std::vector<PythonFrame> script;
    for (const RawFrame& raw : frames) {
        if (runtime.version != kVersion311 && raw.mark == kOwnedByC) {
            if (!script.empty()) script.back().is_entry = true;
            continue;
        }
        auto frame = named(memory, layout, runtime, raw.code);
        if (!frame) return std::nullopt;
        frame->is_entry = runtime.version == kVersion311 && raw.mark != 0;
        script.push_back(*std::move(frame));
    }
    return script;
}

/// What a frame has on the stack.
std::vector<std::uint64_t> words_between(const model::RawStack& raw, std::uint64_t from, std::uint64_t to) {
    constexpr std::uint64_t kLargestFrame = 4096;
    std::vector<std::uint64_t> words;
    if (!raw.registers || from < raw.registers->sp || to < from || to - from > kLargestFrame) return words;
    for (std::uint64_t at = from - raw.registers->sp; at + 8 <= to - raw.registers->sp; at += 8) {
        if (at + 8 > raw.bytes.size()) break;
        std::uint64_t word = 0;
        std::memcpy(&word, raw.bytes.data() + at, sizeof(word));
        words.push_back(word);
    }
    return words;
}

}  // namespace

std::optional<PythonRuntime> find_python(AddressSpace& space) {
    for (const std::string_view start : {"libpython3", "python3"}) {
        const Mapping* mapping = space.mapping_named(start);
        if (mapping == nullptr) continue;
        const Place place = space.place_of(mapping->start);
        const auto bias =
            place.file ? place.file->bias_of(mapping->start, mapping->file_offset) : std::nullopt;
        if (!bias) continue;
        const auto state = place.file->address_of_symbol("_PyRuntime");
        const auto version = place.file->address_of_symbol("Py_Version");
        const auto type = place.file->address_of_symbol("PyCode_Type");
        if (!state || !version || !type) continue;
        const auto number = Memory(space.pid()).at(*version + *bias);
        const std::uint64_t minor = number.value_or(0) >> 16;
        if (minor < kVersion311 || minor > kVersion313) continue;
        return PythonRuntime{*state + *bias, *type + *bias, static_cast<std::uint32_t>(minor), mapping->path};
    }
    return std::nullopt;
}

std::optional<std::vector<PythonFrame>> python_frames(const PythonRuntime& runtime, std::uint32_t pid,
                                                      std::uint32_t tid) {
    const Memory memory(pid);
    const auto layout = layout_of(runtime, memory);
    const auto own_tid = own_tid_of(pid, tid);
    if (!layout || !own_tid) return std::nullopt;
    const auto thread = thread_state(memory, *layout, runtime.state, *own_tid);
    if (!thread) return std::nullopt;
    for (int i = 0; i < kTries; ++i) {
        const auto before = raw_frames(memory, *layout, *thread);
        auto script = before ? named(memory, *layout, runtime, *before) : std::nullopt;
        if (script && !script->empty() && raw_frames(memory, *layout, *thread) == before) return script;
    }
    return std::nullopt;
}

PlacedFrame placed(const PythonFrame& frame) {
    PlacedFrame one;
    one.frame.function = frame.function;
    one.frame.module = frame.file;
    one.frame.own = !is_python_library(frame.file);
    one.origin = Origin::kScript;
    return one;
}

void merge_python(std::vector<PlacedFrame>& stack, const std::vector<PythonFrame>& script,
                  const std::string& interpreter) {
    std::vector<PlacedFrame> merged;
    auto next = script.begin();
    bool is_inside = false;
    for (PlacedFrame& native : stack) {
        if (native.frame.function == kLoop) {
            is_inside = true;
            while (next != script.end()) {
                merged.push_back(placed(*next));
                if ((next++)->is_entry) break;
            }
        } else if (!is_inside || native.frame.module != interpreter) {
            merged.push_back(std::move(native));
        }
    }
    // Nothing of the interpreter was found on the stack, or not all: it could not be followed that far.
    for (; next != script.end(); ++next) merged.push_back(placed(*next));
    stack = std::move(merged);
}

void PythonCode::add(const std::vector<PythonFrame>& script) {
    if (functions_.size() > kMostFunctions) functions_.clear();
    for (const PythonFrame& frame : script) {
        // What was there before is gone.
        auto overlapped = functions_.lower_bound(frame.code_begin);
        if (overlapped != functions_.begin() && std::prev(overlapped)->second.code_end > frame.code_begin)
            --overlapped;
        while (overlapped != functions_.end() && overlapped->first < frame.code_end)
            overlapped = functions_.erase(overlapped);
        functions_.insert_or_assign(frame.code_begin, frame);
    }
}

template <typename Values>
const PythonFrame* PythonCode::pointed_to(const Values& values) const {
    const PythonFrame* found = nullptr;
    for (const std::optional<std::uint64_t> value : values) {
        const auto behind = value ? functions_.upper_bound(*value) : functions_.begin();
        if (behind == functions_.begin() || *value > std::prev(behind)->second.code_end) continue;
        const PythonFrame* function = &std::prev(behind)->second;
        if (found != nullptr && found != function) return nullptr;
        found = function;
    }
    return found;
}

const PythonFrame* PythonCode::executed_by(const FrameRegisters& loop, std::span<const std::uint64_t> words) {
    if (const PythonFrame* function = pointed_to(loop)) {
        is_in_register_ = true;
        return function;
    }
    // Elsewhere a word may be left from before.
    return is_in_register_ ? nullptr : pointed_to(words);
}

void merge_known_python(std::vector<PlacedFrame>& stack, const std::vector<Step>& steps,
                        const model::RawStack& raw, PythonCode& code) {
    for (std::size_t i = 0; i < stack.size() && i + 1 < steps.size(); ++i) {
        if (stack[i].frame.function != kLoop) continue;
        const auto words = words_between(raw, steps[i].sp, steps[i + 1].sp);
        if (const PythonFrame* function = code.executed_by(steps[i].registers, words))
            stack[i] = placed(*function);
    }
}

std::optional<std::string> utf8_of(std::string_view characters, unsigned width) {
    std::string text;
    for (std::size_t i = 0; i + width <= characters.size(); i += width) {
        std::uint32_t point = 0;
        std::memcpy(&point, characters.data() + i, width);
        const auto put = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
        if (point > 0x10ffff || point == 0) return std::nullopt;
        if (point < 0x80) {
            put(point);
        } else if (point < 0x800) {
            put(0xc0 | point >> 6);
            put(0x80 | (point & 0x3f));
        } else if (point < 0x10000) {
            put(0xe0 | point >> 12);
            put(0x80 | (point >> 6 & 0x3f));
            put(0x80 | (point & 0x3f));
        } else {
            put(0xf0 | point >> 18);
            put(0x80 | (point >> 12 & 0x3f));
            put(0x80 | (point >> 6 & 0x3f));
            put(0x80 | (point & 0x3f));
        }
    }
    return text;
}

}  // namespace waitclose::symbols
