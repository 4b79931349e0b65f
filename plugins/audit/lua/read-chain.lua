-- Where the chain over a tenant's audit ends, and what there is beside it.
-- KEYS[1] head · KEYS[2] audit · KEYS[3] seals · KEYS[4] segments
-- Returns {{field, value, …} of the head, entries there are, id of the newest entry, of the newest seal, of the newest
--          segment; each '' where there is none}
local function newest(key)
    local found = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
    return found and found[1] or ''
end
return { redis.call('HGETALL', KEYS[1]), redis.call('XLEN', KEYS[2]), newest(KEYS[2]), newest(KEYS[3]), newest(KEYS[4]) }
