-- Changes the configuration of a record: back to `defaults`, where they are given, and then what `config` names.
local function configure(key, defaults, config)
    local changed = defaults or cjson.decode(redis.call('HGET', key, 'config'))
    for field, value in pairs(config) do changed[field] = value end
    redis.call('HSET', key, 'config', cjson.encode(changed))
end
