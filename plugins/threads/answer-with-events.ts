import { eventStream, type ServerSentEvent } from '../../src/http/sse.ts';

import type { ResponseObject, ResponseToolkit } from '@hapi/hapi';

/** An answer of server-sent events that nothing on its way may hold back. */
export const answerWithEvents = <Toolkit extends Pick<ResponseToolkit, 'response'>>(
    h: Toolkit,
    events: AsyncIterable<ServerSentEvent[]>,
): ResponseObject =>
    h
        .response(eventStream(events))
        .type('text/event-stream')
        .header('cache-control', 'no-cache')
        .header('x-accel-buffering', 'no');
