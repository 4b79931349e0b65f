-- Notes when a user's API keys for providers were used, once a minute.
local NOTE_USE_EVERY = 60000

local function note_key_use(key, names, at)
    for _, name in ipairs(names) do
        local field = name .. ':used'
        local sealed, used = unpack(redis.call('HMGET', key, name, field))
        if sealed and at - tonumber(used or 0) >= NOTE_USE_EVERY then
            redis.call('HSET', key, field, string.format('%d', at))
        end
    end
end
