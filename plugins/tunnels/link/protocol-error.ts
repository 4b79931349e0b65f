import { CLOSE_CODES } from './close-codes.ts';

/** The other end broke the protocol so that nothing it sends can be relied on: the link is closed. */
export class ProtocolError extends Error {
    /** What the link is closed with. */
    readonly closeCode: number;

    constructor(message: string, closeCode: number = CLOSE_CODES.protocol) {
        super(message);
        this.name = 'ProtocolError';
        this.closeCode = closeCode;
    }
}
