import { statSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { packageRoot } from '../../src/package-root.ts';
import { buildContext } from '../helpers/build-context.ts';
import { pairsOf, readDockerfile, stagesOf } from '../helpers/dockerfile.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const instructions = readDockerfile();
const stages = stagesOf(instructions);
const last = stages.at(-1)?.instructions ?? [];
const only = (name: string) => last.filter((instruction) => instruction.name === name);

describe('the Dockerfile', () => {
    it('builds on a version of one base image, which whoever builds may choose', () => {
        expect(instructions[0]).to.include({ name: 'ARG', text: 'BASE=node:24-alpine' });
        expect(stages.map(({ base }) => base)).to.equal(['${BASE}', '${BASE}', '${BASE}']);
    });

    it('runs as a user without a name on other machines, from the last files on', () => {
        expect(only('USER').map(({ text }) => text)).to.equal(['1001:1001']);
        const names = last.map(({ name }) => name);
        expect(names.lastIndexOf('COPY')).to.be.below(names.indexOf('USER'));
        expect(names.lastIndexOf('RUN')).to.be.below(names.indexOf('USER'));
    });

    it('copies what is here, fetches nothing by itself, and runs no script of a package', () => {
        expect(instructions.filter(({ name }) => name === 'ADD')).to.equal([]);
        const commands = instructions.filter(({ name }) => name === 'RUN').map(({ text }) => text);
        expect(commands.filter((command) => /\b(?:curl|wget|apk|apt-get|npx)\b/.test(command))).to.equal([]);
        const installs = commands.filter((command) => /\bnpm\b/.test(command));
        expect(installs).to.equal(['npm ci --ignore-scripts', 'npm ci --omit=dev --ignore-scripts']);
    });

    it('starts the program and asks for its health without a shell', () => {
        expect(only('ENTRYPOINT').map(({ exec }) => exec)).to.equal([['node']]);
        expect(only('CMD').map(({ exec }) => exec)).to.equal([['dist/src/main.js']]);
        expect(only('HEALTHCHECK').map(({ exec }) => exec)).to.equal([['node', 'dist/scripts/image/health-check.js']]);
        expect(only('STOPSIGNAL').map(({ text }) => text)).to.equal(['SIGTERM']);
    });

    it('has no secret, neither given at the build nor set in the image', () => {
        const named = instructions
            .filter(({ name }) => name === 'ENV' || name === 'ARG')
            .flatMap(({ text }) => pairsOf(text).map(([name]) => name));
        expect([...new Set(named)].toSorted()).to.equal([
            'BASE',
            'BUILD_COMMIT',
            'BUILD_TIME',
            'DATA_DIR',
            'NODE_ENV',
            'NODE_OPTIONS',
        ]);
    });

    it('sees of this folder what it builds from, and nothing else', () => {
        const context = buildContext();
        const tops = new Set(context.map((path) => path.replace(/\/.*/, '')));
        expect([...tops].toSorted()).to.equal([
            '.npmrc',
            'package-lock.json',
            'package.json',
            'plugins',
            'scripts',
            'src',
            'tsconfig.json',
        ]);
        expect(context).to.include(['src/main.ts', 'scripts/admin.ts', 'scripts/image/prune.sh']);
        expect(context.filter((path) => /\.test\.|\.md$|\.env|^scripts\/(?:bench|client)/.test(path))).to.equal([]);
    });

    it('copies nothing that its user could write to', () => {
        const writable = buildContext().filter((path) => (statSync(join(packageRoot(), path)).mode & 0o002) !== 0);
        expect(writable).to.equal([]);
    });
});
