/** A script of the `lua` folder beside this file. */
export const luaFile = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);
