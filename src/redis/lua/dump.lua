-- Tells what a key holds: {type, content, of a stream: its last id}; {} where there is none.
local READ = {
    string = function(key) return { 'string', redis.call('GET', key) } end,
    hash = function(key) return { 'hash', redis.call('HGETALL', key) } end,
    list = function(key) return { 'list', redis.call('LRANGE', key, 0, -1) } end,
    set = function(key) return { 'set', redis.call('SMEMBERS', key) } end,
    zset = function(key) return { 'zset', redis.call('ZRANGE', key, 0, -1, 'WITHSCORES') } end,
    stream = function(key)
        local info = redis.call('XINFO', 'STREAM', key)
        for n = 1, #info, 2 do
            if info[n] == 'last-generated-id' then
                return { 'stream', redis.call('XRANGE', key, '-', '+'), info[n + 1] }
            end
        end
    end,
}

local function dump(key)
    local read = READ[redis.call('TYPE', key).ok]
    return read and read(key) or {}
end
