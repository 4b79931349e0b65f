import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { typesOf } from './operations.ts';
import { packageRoot } from '../../src/package-root.ts';

import type { OpenApiDocument } from '../../plugins/docs/openapi.ts';

const INDEX = `import { ApiClient } from './runtime.ts';

import type { Operations } from './api.ts';

export { ApiError, type Bytes, type ClientOptions, type ServerEvent } from './runtime.ts';
export type * from './api.ts';

/** A client of the whole API. */
export class Client extends ApiClient<Operations> {}
`;

const COMPILER = {
    compilerOptions: {
        target: 'es2022',
        lib: ['es2022', 'dom', 'dom.iterable'],
        types: [],
        module: 'nodenext',
        strict: true,
        rewriteRelativeImportExtensions: true,
        declaration: true,
        outDir: 'dist',
        rootDir: 'src',
    },
    include: ['src'],
};

const packageOf = (version: unknown) => ({
    name: 'llm-api-client',
    version,
    description: 'Typed client of llm-api-layer, generated from its OpenAPI document',
    type: 'module',
    exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
    files: ['dist'],
    engines: { node: '>=20' },
    sideEffects: false,
});

/** Writes a package with a typed client of that document into a folder, in place of the one that was there. */
export function writeClient(document: OpenApiDocument, folder: string): void {
    const { version } = document.info as { version: string };
    const root = packageRoot();
    for (const part of ['src', 'dist']) rmSync(join(folder, part), { recursive: true, force: true });
    mkdirSync(join(folder, 'src'), { recursive: true });
    const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
    write('package.json', `${JSON.stringify(packageOf(version), null, 4)}\n`);
    write('tsconfig.json', `${JSON.stringify(COMPILER, null, 4)}\n`);
    write('src/api.ts', typesOf(document));
    write('src/index.ts', INDEX);
    for (const [from, to] of Object.entries({ 'runtime.ts': 'src/runtime.ts', 'client.md': 'README.md' })) {
        copyFileSync(join(root, 'scripts/client', from), join(folder, to));
    }
    execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', folder], { stdio: 'inherit' });
}
