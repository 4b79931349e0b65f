import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { wholeBody } from '../../../../plugins/tunnels/gateway/answer-body.ts';
import { Inbox } from '../../../../plugins/tunnels/link/inbox.ts';
import { readAll } from '../../../helpers/link.ts';

import type { LinkAnswer } from '../../../../plugins/tunnels/link/types.ts';

export const lab = Lab.script();
const { describe, it } = lab;

/** An answer of which that much has come; `said` is its content-length. */
function answerOf(text: string, { status = 200, isEnded = true, said }: AnswerOptions = {}): LinkAnswer {
    const body = new Inbox(
        1_024,
        () => undefined,
        () => undefined,
    );
    body.push(Buffer.from(text));
    if (isEnded) body.finish(null);
    return { status, headers: said === undefined ? [] : [['content-length', said]], body };
}

interface AnswerOptions {
    status?: number;
    isEnded?: boolean;
    said?: string;
}

describe('wholeBody', () => {
    it('gives all of an answer that is there, with or without a length', async () => {
        for (const said of [undefined, '6']) {
            const whole = wholeBody('GET', answerOf('Lisbon', said === undefined ? {} : { said }));
            expect(Buffer.from(whole?.bytes ?? []).toString()).to.equal('Lisbon');
            expect((await readAll(whole ?? answerOf('').body)).toString()).to.equal('Lisbon');
        }
    });

    it('leaves an answer to be read that is still to come, empty, without a body or not as long as it says', async () => {
        const answers: [string, LinkAnswer][] = [
            ['GET', answerOf('Lis', { isEnded: false })],
            ['GET', answerOf('Lis', { isEnded: false, said: '3' })],
            ['GET', answerOf('')],
            ['HEAD', answerOf('Lisbon')],
            ['GET', answerOf('Lisbon', { status: 304 })],
            ['GET', answerOf('Lisbon', { said: '5' })],
            ['GET', answerOf('Lisbon', { said: '7' })],
        ];
        for (const [method, answer] of answers) {
            const { waiting } = answer.body;
            expect(wholeBody(method, answer)).to.be.null();
            expect(answer.body.waiting).to.equal(waiting);
        }
    });

    it('throws for a length that is none', () => {
        expect(() => wholeBody('HEAD', answerOf('', { said: 'six' }))).to.throw('The relay failed: protocol');
    });
});
