import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startCollector } from '../../helpers/collector.ts';
import { temporaryFolder } from '../../helpers/folder.ts';
import { startProcess } from '../../helpers/process.ts';
import { newClient } from '../../helpers/program.ts';

export const lab = Lab.script();
const { describe, it } = lab;

/** Metrics bring the API of OpenTelemetry along, which does nothing by itself. */
const OPTIONAL = /node_modules\/(@opentelemetry\/(?!api\/)|@sentry\/)/;

/** A module that notes what other modules the process loads, by either way of loading them. */
function spy(): { path: string; loaded: () => string[] } {
    const folder = temporaryFolder();
    const [path, hooks, notes] = ['spy.mjs', 'hooks.mjs', 'notes.txt'].map((name) => join(folder, name));
    if (path === undefined || hooks === undefined || notes === undefined) throw new Error('No names');
    appendFileSync(notes, '');
    writeFileSync(
        hooks,
        `import { appendFileSync } from 'node:fs';
        export async function load(url, context, next) {
            appendFileSync(${JSON.stringify(notes)}, url + '\\n');
            return next(url, context);
        }`,
    );
    writeFileSync(
        path,
        `import { appendFileSync } from 'node:fs';
        import { createRequire, register } from 'node:module';
        register(${JSON.stringify(hooks)}, 'file:///');
        const { cache } = createRequire(import.meta.url);
        process.on('exit', () => appendFileSync(${JSON.stringify(notes)}, Object.keys(cache).join('\\n')));`,
    );
    return { path, loaded: () => readFileSync(notes, 'utf8').split('\n') };
}

/** Runs the program with that, lets a tenant be made, and gives what was loaded. */
async function modulesOf(settings: Record<string, string>): Promise<string[]> {
    const { path, loaded } = spy();
    const program = await startProcess({ ...settings, NODE_OPTIONS: `--import ${path}` });
    await newClient(program.url);
    expect(await program.stop()).to.equal({ code: 0 });
    return loaded();
}

describe('a process', () => {
    it('loads neither OpenTelemetry nor Sentry when it has nobody to tell', async () => {
        const modules = await modulesOf({});
        expect(modules.some((name) => name.endsWith('/src/telemetry/tracing.js'))).to.be.true();
        expect(modules.some((name) => name.includes('/node_modules/ioredis/'))).to.be.true();
        expect(modules.filter((name) => OPTIONAL.test(name))).to.equal([]);
        expect(modules.filter((name) => /telemetry\/(open-telemetry|trace-channels|sentry)\.js/.test(name))).to.equal(
            [],
        );
    });

    it('loads both when it has, and sends its last traces before it ends', async () => {
        const collector = await startCollector();
        const settings = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, SENTRY_DSN: collector.dsn };
        const modules = await modulesOf(settings);
        expect(modules.some((name) => name.includes('/node_modules/@opentelemetry/'))).to.be.true();
        expect(modules.some((name) => name.includes('/node_modules/@sentry/'))).to.be.true();
        expect(collector.spans().map(({ name }) => name)).to.include('POST /api/threads');
        await collector.stop();
    });
});
