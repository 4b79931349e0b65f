export interface Corkable {
    cork(): void;
    uncork(): void;
}

/**
 * Gives what holds a stream back until the end of this turn of the event loop: all that is written to it meanwhile goes
 * out in one write.
 */
export function turnCork(): (stream: Corkable) => void {
    let isHeld = false;
    return (stream) => {
        if (isHeld) return;
        isHeld = true;
        stream.cork();
        setImmediate(() => {
            isHeld = false;
            stream.uncork();
        });
    };
}
