import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { createLogger } from '../../../src/telemetry/logger.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const SECRET = 'hunter2';
const FIELDS = [
    'authorization',
    'cookie',
    'password',
    'apiKey',
    'token',
    'accessToken',
    'refreshToken',
    'secret',
    'x-api-key',
    'set-cookie',
];

/** A logger, and the lines that it has written. */
function testLogger(level = 'info') {
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(line) };
    return { logger: createLogger({ level, pretty: false, destination }), lines };
}

describe('createLogger', () => {
    it('writes a JSON line with an ISO time, and nothing of the machine', () => {
        const { logger, lines } = testLogger();
        logger.info({ module: 'test' }, 'hello');
        const { time, ...rest } = JSON.parse(String(lines[0]));
        expect(rest).to.equal({ level: 30, module: 'test', msg: 'hello' });
        expect(time).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        expect(lines.join()).to.endWith('\n');
    });

    it('writes nothing below its level', () => {
        const { logger, lines } = testLogger('warn');
        logger.info('hello');
        logger.warn('careful');
        expect(lines).to.have.length(1);
    });

    it('redacts every secret field, as deep as three levels', () => {
        for (const field of FIELDS) {
            const { logger, lines } = testLogger();
            const inner = { [field]: SECRET, plain: 'kept' };
            logger.info({ ...inner, one: { ...inner, two: inner } }, 'hello');
            const redacted = { [field]: '[redacted]', plain: 'kept' };
            expect(JSON.parse(String(lines[0])), field).to.include({
                ...redacted,
                one: { ...redacted, two: redacted },
            } as never);
            expect(lines.join(), field).to.not.include(SECRET);
        }
    });

    it('redacts what a child logger is given, and the fields of an error', () => {
        const { logger, lines } = testLogger();
        logger.child({ token: SECRET, request: { headers: { authorization: SECRET } } }).info('hello');
        logger.error({ err: Object.assign(new Error('failed'), { password: SECRET }) }, 'failed');
        expect(lines).to.have.length(2);
        expect(lines.join()).to.not.include(SECRET);
    });
});
