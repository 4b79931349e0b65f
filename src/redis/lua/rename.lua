-- Gives a record another name, which no other of the same list of names has: a hash of names in lower case → ids.
-- Returns whether it has it; false: another record does.
local function rename(key, names, id, name)
    local holder = redis.call('HGET', names, name:lower())
    if holder and holder ~= id then return false end
    redis.call('HDEL', names, redis.call('HGET', key, 'name'):lower())
    redis.call('HSET', names, name:lower(), id)
    redis.call('HSET', key, 'name', name)
    return true
end
