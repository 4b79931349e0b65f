-- One page of backups, by creation; no more than ARGV[7] are looked at, so that a page may be short though there are more.
-- KEYS[1] backups by creation · KEYS[2] what their keys begin with
-- ARGV[1] asc | desc · ARGV[2] limit · ARGV[3] score and ARGV[4] id of the last one seen, or two empty strings
-- ARGV[5] type and ARGV[6] state, or empty · ARGV[7] the most that are looked at
-- Returns {total, more (0 | 1), last score, last id, {field, value, …}, …}
-- @include page
local function read(id)
    local key = KEYS[2] .. id
    local type, state = unpack(redis.call('HMGET', key, 'type', 'state'))
    if ARGV[5] ~= '' and type ~= ARGV[5] then return nil end
    if ARGV[6] ~= '' and state ~= ARGV[6] then return nil end
    return redis.call('HGETALL', key)
end

local page, more, last, last_id = page_of(KEYS[1], ARGV, read, tonumber(ARGV[7]))
return { redis.call('ZCARD', KEYS[1]), more, last, last_id, unpack(page) }
