import { expect } from '@hapi/code';

import { catalogue, type ErrorCode } from '../../src/http/errors.ts';

import type { Answer } from './app.ts';

/** Says that an answer is the whole error envelope of that catalogue code, and gives its `error`. */
export function expectError({ status, headers, body, text }: Answer, code: ErrorCode) {
    expect(body?.error?.code, text).to.equal(code);
    const { category, message, suggestion } = catalogue[code];
    expect(status).to.equal(catalogue[code].status);
    expect(Object.keys(body).toSorted()).to.equal(['error', 'requestId', 'success', 'timestamp']);
    expect(body.success).to.be.false();
    expect(body.error).to.include({ category, message, suggestion, statusCode: status });
    expect(body.error.correlationId).to.equal(body.requestId);
    expect(headers['x-request-id']).to.equal(body.requestId);
    expect(new Date(body.timestamp).toISOString()).to.equal(body.timestamp);
    expect(headers['www-authenticate']).to.equal(status === 401 ? 'Bearer' : undefined);
    return body.error;
}

/** Says that a request is refused for the fields of those paths, and for no others. */
export function expectFaults(answer: Answer, fields: string[]): void {
    const { details } = expectError(answer, 'VALIDATION_ERROR');
    expect(Object.keys(details.fields).toSorted()).to.equal(fields.toSorted());
}
