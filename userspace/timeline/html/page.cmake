# Puts the page of the HTML report together: cmake -D SOURCE=directory -D OUTPUT=page.cpp -P page.cmake
# Style and program are allowed by their hashes in the content security policy, and by nothing else.
cmake_minimum_required(VERSION 3.25)

set(PROGRAM report words element lanes timeline draw input flame tables detail main)

# The SHA-256 of a text, as content security policies want it: in base64.
function(hash_of text out)
    string(SHA256 hex "${text}")
    set(letters ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/)
    set(coded)
    foreach(at RANGE 0 60 6)
        string(SUBSTRING "${hex}00" ${at} 6 three)
        math(EXPR three "0x${three}")
        foreach(shift 18 12 6 0)
            math(EXPR six "(${three} >> ${shift}) & 63")
            string(SUBSTRING ${letters} ${six} 1 letter)
            string(APPEND coded "${letter}")
        endforeach()
    endforeach()
    # 32 bytes are ten threes and a two: what the padding byte became is written as "=".
    string(SUBSTRING "${coded}" 0 43 coded)
    set(${out} "sha256-${coded}=" PARENT_SCOPE)
endfunction()

# One scope for all files, so that nothing of them is global.
set(script "'use strict';\n(() => {\n")
foreach(name IN LISTS PROGRAM)
    file(READ ${SOURCE}/${name}.js text)
    string(APPEND script "${text}\n")
endforeach()
string(APPEND script "})();\n")
file(READ ${SOURCE}/style.css style)
file(READ ${SOURCE}/page.html page)
hash_of("${script}" script_hash)
hash_of("${style}" style_hash)
foreach(mark script_hash style_hash style script)
    string(TOUPPER "@${mark}@" there)
    string(REPLACE "${there}" "${${mark}}" page "${page}")
endforeach()

file(WRITE ${OUTPUT} "// Made by page.cmake from the files in userspace/timeline/html.
#include \"timeline/html/page.h\"

namespace waitclose::timeline::html {

std::string_view page() {
    return R\"waitclose(${page})waitclose\";
}

}  // namespace waitclose::timeline::html
")
