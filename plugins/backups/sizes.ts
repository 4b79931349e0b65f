/** The classes of sizes that the statistics count by: up to so many bytes, and above. */
export const SIZES: { name: string; upTo: number | null }[] = [
    { name: '1MiB', upTo: 1_048_576 },
    { name: '10MiB', upTo: 10_485_760 },
    { name: '100MiB', upTo: 104_857_600 },
    { name: '1GiB', upTo: 1_073_741_824 },
    { name: 'more', upTo: null },
];

/** The name of the class that an archive is in. */
export const sizeOf = (bytes: number): string =>
    SIZES.find(({ upTo }) => upTo === null || bytes <= upTo)?.name ?? 'more';
