import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What `--cpu-prof` of Node.js writes; times in microseconds. */
interface CpuProfile {
    nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
    samples: number[];
    timeDeltas: number[];
}

type Share = [name: string, percent: number];

const PLACES = 25;
/** What is no work of the program's. */
const NOT_BUSY = new Set(['(idle)', '(program)']);

/** Where the processor's time went in a folder's profiles: by package or module, and by function; in percent. */
export function readProfiles(folder: string): { modules: Share[]; functions: Share[] } {
    const modules = new Map<string, number>();
    const functions = new Map<string, number>();
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'))) {
        const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile;
        const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
        for (const [n, id] of samples.entries()) {
            const frame = frames.get(id);
            if (!frame || NOT_BUSY.has(frame.functionName)) continue;
            const { functionName, url, lineNumber } = frame;
            const place = url.replace(/^.*\/node_modules\//, '').replace(/^.*\/dist\//, '');
            const isPackage = url.includes('/node_modules/');
            const depth = isPackage && !place.startsWith('@') ? 1 : 2;
            add(modules, place.split('/').slice(0, depth).join('/') || functionName, timeDeltas[n] ?? 0);
            add(functions, `${functionName || '(anonymous)'} ${place}:${lineNumber + 1}`, timeDeltas[n] ?? 0);
        }
    }
    return { modules: largest(modules), functions: largest(functions) };
}

const add = (times: Map<string, number>, name: string, micros: number) =>
    times.set(name, (times.get(name) ?? 0) + micros);

function largest(times: Map<string, number>): Share[] {
    const busy = [...times.values()].reduce((sum, micros) => sum + micros, 0);
    const sorted = [...times].toSorted(([, a], [, b]) => b - a).slice(0, PLACES);
    return sorted.map(([name, micros]) => [name, (micros / busy) * 100]);
}
