/** Copies the files that the compiler leaves behind (Lua scripts, data, the files of pages) beside the compiled code. */
import { cpSync, readdirSync } from 'node:fs';
import { extname, join } from 'node:path';

const ASSETS = new Set(['.lua', '.json', '.html', '.css', '.js', '.svg']);

for (const room of ['src', 'plugins']) {
    for (const name of readdirSync(room, { recursive: true, encoding: 'utf8' })) {
        if (ASSETS.has(extname(name))) cpSync(join(room, name), join('dist', room, name));
    }
}
