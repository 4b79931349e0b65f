-- Read a tunnel with its endpoints and its shares with users, at one moment; shares by token end within a day anyway.
-- KEYS[1] tunnel · KEYS[2] its endpoints · KEYS[3] its shares · what begin the keys of: KEYS[4] endpoints, KEYS[5] shares
-- Returns what `read-values.lua` does
-- @include dump
if redis.call('EXISTS', KEYS[1]) == 0 then return {} end
local values = { KEYS[1], dump(KEYS[1]) }
for n = 2, 3 do
    for _, id in ipairs(redis.call('ZRANGE', KEYS[n], 0, -1)) do
        local key = KEYS[n + 2] .. id
        if n == 2 or redis.call('HEXISTS', key, 'userId') == 1 then
            values[#values + 1] = key
            values[#values + 1] = dump(key)
        end
    end
end
return values
