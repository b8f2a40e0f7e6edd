// SPDX-License-Identifier: BSD-2-Clause
// On the CPU in a function that the engine compiles.
'use strict';
let parsed = 0;
function spin_parse(rounds) {
    for (let i = 0; i < rounds; ++i) parsed = (parsed * 31 + 7) & 0xffff;
    return parsed;
}
function handle_request() {
    for (;;) spin_parse(50_000_000);
}
for (let i = 0; i < 2000; ++i) spin_parse(1000);
console.log('ready');
handle_request();
