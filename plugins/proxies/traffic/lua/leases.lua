-- A proxy's running calls. KEYS[1] zset of `<tunnel>/<lease>` by their ends · KEYS[2] hash of their number by tunnel.

local function count_running(lease, step)
    local tunnel = lease:match('^[^/]+')
    if redis.call('HINCRBY', KEYS[2], tunnel, step) <= 0 then redis.call('HDEL', KEYS[2], tunnel) end
end

-- Also of one that has run out meanwhile: its call runs all the same.
local function keep_lease(lease, at, lifetime)
    if redis.call('ZADD', KEYS[1], string.format('%d', at + lifetime), lease) == 1 then count_running(lease, 1) end
end

-- The keys last as long as the last lease in them.
local function keep_keys(lifetime)
    redis.call('PEXPIRE', KEYS[1], lifetime)
    redis.call('PEXPIRE', KEYS[2], lifetime)
end

local function drop_lease(lease)
    if redis.call('ZREM', KEYS[1], lease) == 0 then return false end
    count_running(lease, -1)
    return true
end

-- Of processes that are gone; some at a time.
local function drop_ended_leases(at)
    local ended = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%d', at), 'LIMIT', 0, 1000)
    for _, lease in ipairs(ended) do drop_lease(lease) end
end

local function running_leases(at)
    return redis.call('ZCOUNT', KEYS[1], string.format('(%d', at), '+inf')
end
