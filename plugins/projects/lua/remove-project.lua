-- Whether there is nothing in a project: the keys of what may be in it are KEYS[7] and those after.
local function is_empty()
    for n = 7, #KEYS do
        if redis.call('EXISTS', KEYS[n]) == 1 then return false end
    end
    return true
end

-- Removes a project with its name and its places in the lists.
local function remove_project(id)
    local name = redis.call('HGET', KEYS[1], 'name')
    redis.call('ZREM', KEYS[4], id)
    redis.call('HDEL', KEYS[5], name:lower())
    redis.call('ZREM', KEYS[6], id)
    redis.call('UNLINK', KEYS[1])
end
