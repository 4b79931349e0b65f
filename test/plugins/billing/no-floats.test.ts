import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { packageRoot } from '../../../src/package-root.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const root = packageRoot();

const under = (folder: string, ending: string): string[] =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith(ending))
        .map((name) => join(folder, name));

/** Where VMs are priced. */
const isOfMoney = (file: string): boolean => /\/(pricing|instance-types|meter[a-z-]*|charge[a-z-]*)\.ts$/.test(file);

/** A line of code that turns to floats, or may. */
const FLOATS = [/\bparse(Float|Int)\b/, /\.to(Fixed|Precision|Exponential)\b/, /\bMath\./, /\bNumber(\(|\.[a-z])/];
const LITERAL = /(?<![\w.$:'"-])\d[\d_]*\.\d|\d[eE]-\d/;

/** What may do so all the same, and why. */
const ALLOWED: [file: string, line: RegExp, why: string][] = [
    [
        'src/money.ts',
        /return Number\(amount\);/,
        'the one way out to JSON: it has looked whether a digit would be lost',
    ],
    ['plugins/billing/bill.ts', /Math\.min\((LEAST_TOKENS|output),/, 'counts tokens'],
    ['plugins/billing/bill.ts', /cost\(Math\.max\(tokens, Math\.min\(tokens \+ more,/, 'counts tokens'],
    ['plugins/billing/cost.ts', /^const count = \(tokens: number\)/, 'counts tokens, whatever a provider tells'],
    ['plugins/billing/cost.ts', /return left <= 0n \? 0 : Number\(left \/ BigInt\(output\)\);/, 'counts tokens'],
    ['plugins/billing/entry.ts', /String\(Math\.round\(amount\)\)/, 'counts what is no money: calls, tokens, minutes'],
    [
        'plugins/billing/store.ts',
        /\{ availableMicros: Number\(detail \?\? 0\) \}/,
        'a whole number of a script, for JSON',
    ],
];

/** In Lua every number is a double: whole ones are exact up to 2^53, as long as nothing divides them. */
const LUA_FLOATS = [/\bmath\.(?!min\b|max\b)/, /(?<![:<-])\s\/\s/, /(?<![\w.%'])\d+\.\d/, /%\.[1-9]/, /\s\^\s/];
const LUA_ALLOWED: [file: string, line: RegExp, why: string][] = [
    ['src/redis/lua/credits.lua', /math\.floor\(at % DAY_MS \/ 3600000\)/, 'the hour of a time'],
    ['plugins/vms/lua/metering.lua', /math\.floor\(\(at - paid_until\) \/ MINUTE_MS\)/, 'counts minutes'],
    ['plugins/vms/lua/metering.lua', /\(sixtieths - sixtieths % 60\) \/ 60/, 'divides what is a multiple'],
];

/** The lines of code, without comments and what is a text. */
const linesOf = (file: string, comment: RegExp): string[] =>
    readFileSync(join(root, file), 'utf8')
        .split('\n')
        .map((line) => line.replace(comment, ''));

const code = [...under('plugins/billing', '.ts'), 'src/money.ts', ...under('plugins', '.ts').filter(isOfMoney)];
const scripts = [
    ...under('plugins/billing', '.lua'),
    ...['credits', 'holds'].map((name) => `src/redis/lua/${name}.lua`),
    'plugins/vms/lua/metering.lua',
];

function floats(files: string[], comment: RegExp, signs: RegExp[], allowed: typeof ALLOWED): string[] {
    return files.flatMap((file) =>
        linesOf(file, comment)
            .filter((line) => signs.some((sign) => sign.test(line)))
            .filter((line) => !allowed.some(([of, fits]) => of === file && fits.test(line)))
            .map((line) => `${file}: ${line.trim()}`),
    );
}

const COMMENT = /(^|\s)(\/\/|\/?\*).*$/;
const LUA_COMMENT = /--.*$/;

describe('money', () => {
    it('is touched by no float in TypeScript', () => {
        expect(code.length).to.be.above(30);
        expect(floats(code, COMMENT, [...FLOATS, LITERAL], ALLOWED)).to.equal([]);
    });

    it('is touched by no float in Lua', () => {
        expect(scripts.length).to.be.above(15);
        expect(floats(scripts, LUA_COMMENT, LUA_FLOATS, LUA_ALLOWED)).to.equal([]);
    });

    it('would be seen if it were', () => {
        for (const line of ['Math.round(x)', 'Number(x)', 'x.toFixed(6)', 'parseFloat(x)', 'x * 1.5', 'x * 1e-6']) {
            expect(
                [...FLOATS, LITERAL].some((sign) => sign.test(line)),
                line,
            ).to.be.true();
        }
        for (const line of ['amount / 2', 'math.ceil(amount)', 'amount * 0.5', "('%.2f'):format(amount)", 'a ^ 2']) {
            expect(
                LUA_FLOATS.some((sign) => sign.test(line)),
                line,
            ).to.be.true();
        }
    });

    it('has no exception that nothing needs any more', () => {
        for (const [file, fits] of [...ALLOWED, ...LUA_ALLOWED]) {
            expect(
                linesOf(file, /$^/).some((line) => fits.test(line)),
                `${file}: ${String(fits)}`,
            ).to.be.true();
        }
    });

    it('is a bigint wherever it is an amount of the program', () => {
        expect(readFileSync(join(root, 'src/money.ts'), 'utf8')).to.contain('export type Micros = bigint;');
        // What is named as an amount and declared a number is for JSON: it says so by its unit.
        const declared = /\b(amount|balance|held|spent|cost|price|credit|limit|closing|opening)\w*\??: number\b/i;
        const wrong = code.flatMap((file) =>
            linesOf(file, COMMENT)
                .filter((line) => declared.test(line) && !/\w+Micros\??: number\b/.test(line))
                .map((line) => `${file}: ${line.trim()}`),
        );
        // Pages and rates.
        expect(wrong.filter((line) => !/\blimit: number\b/.test(line))).to.equal([]);
    });
});
