import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { packageRoot } from '../src/package-root.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const root = packageRoot();
/** The files that compose the program and may therefore know every feature. */
const COMPOSERS = new Set(['src/server.ts', 'src/worker.ts']);

const sources = (folder: string): string[] =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => join(folder, name));

/** The files of the project that a file imports, by their paths from the root. */
function importsOf(file: string): string[] {
    const text = readFileSync(join(root, file), 'utf8');
    const specifiers = [...text.matchAll(/^(?:import|export)\s[^;]*?from '(\.[^']+)'/gm)].map(([, path = '']) => path);
    return specifiers.map((path) => relative(root, join(root, dirname(file), path)));
}

/** `store.ts`, or one of several as `session-store.ts`. */
const isStore = (file: string): boolean => /^(?:[a-z]+-)*store\.ts$/.test(basename(file));
const featureOf = (file: string): string => file.split('/')[1] ?? '';
const imports = [...sources('src'), ...sources('plugins')].flatMap((from) =>
    importsOf(from).map((to) => ({ from, to })),
);
const broken = (isBroken: (edge: { from: string; to: string }) => boolean): string[] =>
    imports.filter(isBroken).map(({ from, to }) => `${from} imports ${to}`);

describe('the structure of the project', () => {
    it('keeps the platform free of features', () => {
        expect(imports.length).to.be.above(200);
        expect(
            broken(({ from, to }) => from.startsWith('src/') && to.startsWith('plugins/') && !COMPOSERS.has(from)),
        ).to.equal([]);
    });

    it('lets a feature see of another only its port', () => {
        const isForeign = (from: string, to: string) =>
            from.startsWith('plugins/') && to.startsWith('plugins/') && featureOf(from) !== featureOf(to);
        expect(broken(({ from, to }) => isForeign(from, to) && basename(to) !== 'api.ts')).to.equal([]);
    });

    it('has no two files that need each other, by whatever way', () => {
        const needs = new Map<string, string[]>();
        for (const { from, to } of imports) needs.set(from, [...(needs.get(from) ?? []), to]);
        const done = new Set<string>();
        const circleFrom = (file: string, way: string[]): string[] | null => {
            if (way.includes(file)) return [...way.slice(way.indexOf(file)), file];
            if (done.has(file)) return null;
            for (const to of needs.get(file) ?? []) {
                const circle = circleFrom(to, [...way, file]);
                if (circle) return circle;
            }
            done.add(file);
            return null;
        };
        const circles = [...needs.keys()].map((file) => circleFrom(file, [])).filter((circle) => circle !== null);
        expect(circles.map((circle) => circle.join(' → '))).to.equal([]);
    });

    it('lets no route touch a store', () => {
        expect(broken(({ from, to }) => from.includes('/routes/') && isStore(to))).to.equal([]);
    });

    it('lets only stores and the platform speak Redis', () => {
        const speaksRedis = sources('plugins').filter((file) => {
            const text = readFileSync(join(root, file), 'utf8');
            return /\btenantKey\(|\.script\(|from 'ioredis'/.test(text) && !isStore(file);
        });
        expect(speaksRedis).to.equal([]);
    });

    it('keeps services away from hapi', () => {
        const services = sources('plugins').filter((file) => file.endsWith('service.ts'));
        expect(services.length).to.be.above(4);
        const hapi = services.filter((file) => readFileSync(join(root, file), 'utf8').includes("from '@hapi/hapi'"));
        expect(hapi).to.equal([]);
    });
});
