import { createHash } from 'node:crypto';

/** What a figure of a simulated VM swings between, and how long a swing takes. */
interface Swing {
    min: number;
    max: number;
    periodMs: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const SWINGS = {
    cpuPercent: { min: 2, max: 88, periodMs: 17 * MINUTE_MS },
    memoryPercent: { min: 25, max: 80, periodMs: 53 * MINUTE_MS },
    diskPercent: { min: 15, max: 60, periodMs: 31 * HOUR_MS },
    networkInBytesPerSecond: { min: 0, max: 2_000_000, periodMs: 11 * MINUTE_MS },
    networkOutBytesPerSecond: { min: 0, max: 800_000, periodMs: 13 * MINUTE_MS },
} satisfies Record<string, Swing>;

type Figure = keyof typeof SWINGS;

/**
 * The figures of a simulated VM at a time: a slow wave and a quicker, smaller one. They depend on the VM and the time
 * alone, so that every replica gives the same, and are rounded to hundredths.
 */
export function simulatedFigures(vmId: string, at: number): Record<Figure, number> {
    const figures = Object.entries(SWINGS).map(([figure, swing]) => [figure, swingAt(`${vmId}/${figure}`, swing, at)]);
    return Object.fromEntries(figures) as Record<Figure, number>;
}

function swingAt(seed: string, { min, max, periodMs }: Swing, at: number): number {
    const digest = createHash('sha256').update(seed).digest();
    const fraction = (byte: number): number => digest.readUInt16BE(byte) / 65_535;
    // Each VM has a level, a phase and a pace of its own.
    const period = periodMs * (0.75 + fraction(0) / 2);
    const phase = fraction(2) * 2 * Math.PI;
    const angle = (2 * Math.PI * at) / period + phase;
    const wave = (0.8 * Math.sin(angle) + 0.2 * Math.sin(4.3 * angle) + 1) / 2;
    const low = min + ((max - min) * fraction(4)) / 2;
    return Math.round((low + (max - low) * wave) * 100) / 100;
}
