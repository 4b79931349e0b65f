#!/bin/sh
# Takes out of installed packages what a server never loads: two thirds of their size.
# Usage: prune.sh node_modules. Needs a shell and node, and of find what BusyBox has.
set -eu
cd "$1"

# For compilers, debuggers and readers. Licences stay.
find . -type f \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.tsbuildinfo' \
    -o -name '*.c' -o -name '*.cc' -o -name '*.h' -o -name '*.gyp' -o -name '*.gypi' \
    -o -name '*.md' ! -iname '*licen[cs]e*' -o -name '*.yml' -o -name '.eslintrc*' -o -name '.editorconfig' \
    -o -name '*.test.js' \) -exec rm {} +

# What packages were made and tried with. Deeper folders of these names may be code.
for package in * @*/* */node_modules/* @*/*/node_modules/*; do
    [ -f "$package/package.json" ] || continue
    (cd "$package" && rm -rf test tests __tests__ docs example examples bench benchmark benchmarks coverage .github)
done

# Tools for building other programs, which packages name as dependencies.
rm -rf sentry @sentry/bundler-plugins oxc-parser @oxc-parser node-addon-api

# Commands, of which the image runs none.
find . -type d -name .bin -prune -exec rm -rf {} +

# The same code once more, for bundlers.
rm -rf @opentelemetry/*/build/esm @opentelemetry/*/build/esnext bullmq/dist/esm
rm -rf swagger-ui-dist/swagger-ui.js swagger-ui-dist/swagger-ui-es-bundle*

# Compiled code for other machines.
here=linux-$(node -p process.arch)
for prebuilt in */prebuilds/*; do
    [ "${prebuilt##*/}" = "$here" ] || rm -rf "$prebuilt"
done
