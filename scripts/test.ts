/**
 * Runs all tests, some files at a time in processes side by side, and ends with one line that counts them. Those that
 * need a browser are left out: with the argument `console` they are run, and no others.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { text } from 'node:stream/consumers';

import { unseenErrors } from './unseen-errors.ts';

/** Enough that starting a process is little of its time, and few enough that none is waited for alone at the end. */
const FILES_AT_ONCE = 8;
/** More than there are cores: many of the tests wait for what takes its time, as leases of processes that were killed. */
const PROCESSES = Math.min(6, availableParallelism() + 2);

interface Count {
    tests: number;
    failed: number;
    skipped: number;
}

// What has no source any more is left over in the build.
const tests = readdirSync('test', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.test.ts'));
const needsBrowser = (name: string): boolean => name.startsWith(`console${sep}`);
const isConsole = process.argv[2] === 'console';
const sources = tests.filter((name) => needsBrowser(name) === isConsole);
const depthOf = (name: string) => name.split(sep).length;
// Those of the whole program take longest: each is in a group of its own, and these are begun first.
const inOrder = sources.sort((one, other) => depthOf(one) - depthOf(other) || (one < other ? -1 : 1));
const files = inOrder.map((name) => `dist/test/${name.replace(/\.ts$/, '.js')}`);
const count = Math.ceil(files.length / FILES_AT_ONCE);
const groups = Array.from({ length: count }, (_, n) => files.filter((_file, at) => at % count === n));

const seen = mkdtempSync(join(tmpdir(), 'seen-codes-'));
const counts: Count[] = [];
await Promise.all(
    Array.from({ length: PROCESSES }, async () => {
        for (let group = groups.shift(); group; group = groups.shift()) counts.push(await run(group));
    }),
);
if (!isConsole) counts.push(await judgeErrors());
const total = (what: keyof Count): number => counts.reduce((sum, count) => sum + count[what], 0);
const [ran, failed] = [total('tests'), total('failed')];
console.log(failed > 0 ? `${failed} of ${ran} tests failed` : `${ran} tests complete`);
process.exit(failed > 0 || ran + total('skipped') === 0 ? 1 : 0);

/** One more test, of all the others: each documented code was an answer to one of them, of each route that names it. */
async function judgeErrors(): Promise<Count> {
    const { codes, ofRoutes } = await unseenErrors(seen);
    rmSync(seen, { recursive: true });
    if (ofRoutes.length > 0) {
        console.log(`Documented errors of routes that no test was answered with:\n${ofRoutes.join('\n')}`);
    }
    if (codes.length > 0) console.log(`No test was answered with ${codes.join(', ')}`);
    return { tests: 1, failed: codes.length + ofRoutes.length > 0 ? 1 : 0, skipped: 0 };
}

/** Runs some files in a process of their own and shows what it said when it is done. */
async function run(group: string[]): Promise<Count> {
    const child = spawn(process.execPath, ['node_modules/@hapi/lab/bin/lab', ...group], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, SEEN_CODES: seen },
    });
    const ended = new Promise<number>((resolve) => child.on('close', (code) => resolve(code ?? 1)));
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    process.stdout.write(`${group[0]} …\n${stdout}${stderr}`);
    const tests = Number(/^(\d+) tests? (?:complete|passed)/m.exec(stdout)?.[1] ?? 0);
    const [, failures = 0, all = tests] = /^(\d+) of (\d+) tests? failed/m.exec(stdout) ?? [];
    // A leak, or a process that broke off: it has failed though no test has.
    const failed = Number(failures) || (code === 0 ? 0 : 1);
    const skipped = Number(/^\d+ tests? .*\((\d+) skipped\)/m.exec(stdout)?.[1] ?? 0);
    return { tests: Math.max(Number(all), failed), failed, skipped };
}
