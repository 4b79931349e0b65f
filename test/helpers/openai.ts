import { expect } from '@hapi/code';
import OpenAI, { type ClientOptions } from 'openai';

import { toOpenAiError } from '../../plugins/openai/form.ts';
import { errorBody, apiError, catalogue, type ErrorCode } from '../../src/http/errors.ts';

import type { Answer, TestApp } from './app.ts';

/** The official client, as its users set it up; it does not retry unless it says so. */
export const openAiClient = (app: TestApp, apiKey: string, options: ClientOptions = {}): OpenAI =>
    new OpenAI({ baseURL: `${app.server.info.uri}/v1`, apiKey, maxRetries: 0, ...options });

/** Says that an answer is that error of the catalogue in OpenAI's form and nothing else, and gives its `error`. */
export function expectOpenAiError({ status, headers, body, text }: Answer, code: ErrorCode) {
    expect(status, text).to.equal(catalogue[code].status);
    const { type, code: said } = toOpenAiError(errorBody(apiError(code), '')).error;
    expect(Object.keys(body)).to.equal(['error']);
    expect(Object.keys(body.error)).to.equal(['message', 'type', 'param', 'code']);
    expect(body.error).to.include({ type, code: said });
    expect(body.error.message.startsWith(catalogue[code].message), text).to.be.true();
    expect(headers['x-request-id']).to.be.a.string();
    expect(headers['www-authenticate']).to.equal(status === 401 ? 'Bearer' : undefined);
    return body.error;
}
