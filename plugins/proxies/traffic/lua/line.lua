-- The line before a proxy. KEYS[3] zset of leases to come, by their turns · KEYS[4] zset of the same, by how long they
-- count as there.

local function keep_place(lease, at, lifetime)
    redis.call('ZADD', KEYS[4], string.format('%d', at + lifetime), lease)
    redis.call('PEXPIRE', KEYS[3], lifetime)
    redis.call('PEXPIRE', KEYS[4], lifetime)
end

local function join_line(lease, at, lifetime)
    local last = redis.call('ZRANGE', KEYS[3], -1, -1, 'WITHSCORES')[2]
    redis.call('ZADD', KEYS[3], string.format('%d', (tonumber(last) or 0) + 1), lease)
    keep_place(lease, at, lifetime)
end

local function leave_line(lease)
    redis.call('ZREM', KEYS[4], lease)
    return redis.call('ZREM', KEYS[3], lease) == 1
end

-- Of processes that are gone.
local function drop_lost_places(at)
    for _, lease in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', string.format('%d', at))) do
        leave_line(lease)
    end
end

-- Tells whoever has the first place that there may be room.
local function wake_first(channel, proxy)
    local first = redis.call('ZRANGE', KEYS[3], 0, 0)[1]
    if first then redis.call('PUBLISH', channel, proxy .. '/' .. first) end
end
