-- Stage values of an aggregate, or a stretch of one.
-- KEYS[1] restore · KEYS[2] aggregates of its component (list of JSON lists of keys) · KEYS[3] what is staged (set)
-- KEYS[4] what staged keys begin with
-- ARGV[1] JSON {run, begins?: {name, keys: [key, …], isPart}, values: [{key, type, isFirst, count, lastId?}]}; of a part
--         nothing but the fields goes to its place, at the end
-- ARGV[2] … what the values have, `count` of them each; of a stream's entry its id, how many fields, the fields
-- Returns 1, 0 somebody else stages, or it is over
local change = cjson.decode(ARGV[1])
local run, phase, deadline = unpack(redis.call('HMGET', KEYS[1], 'run', 'phase', 'until'))
if run ~= change.run or phase ~= 'staging' then return 0 end

-- So many can be given to a command.
local SLICE = 2000
local function add(command, key, from, to)
    for n = from, to, SLICE do redis.call(command, key, unpack(ARGV, n, math.min(to, n + SLICE - 1))) end
end
local WRITE = {
    string = function(key, from) redis.call('SET', key, ARGV[from]) end,
    hash = function(key, from, to) add('HSET', key, from, to) end,
    list = function(key, from, to) add('RPUSH', key, from, to) end,
    set = function(key, from, to) add('SADD', key, from, to) end,
    zset = function(key, from, to) add('ZADD', key, from, to) end,
    stream = function(key, from, to)
        while from <= to do
            local fields = tonumber(ARGV[from + 1])
            redis.call('XADD', key, ARGV[from], unpack(ARGV, from + 2, from + 1 + fields))
            from = from + 2 + fields
        end
    end,
}

local function close_stream(key, last_id)
    if redis.call('EXISTS', key) == 0 then
        redis.call('XADD', key, last_id, 'gone', '')
        redis.call('XDEL', key, last_id)
    end
    redis.call('XSETID', key, last_id)
end

local begins = change.begins
if begins then
    redis.call('SADD', KEYS[3], begins.name)
    redis.call('PEXPIREAT', KEYS[3], deadline)
    if not begins.isPart then
        redis.call('RPUSH', KEYS[2], cjson.encode(begins.keys))
        redis.call('PEXPIREAT', KEYS[2], deadline)
    end
end
local from = 2
for _, value in ipairs(change.values) do
    local key = KEYS[4] .. value.key
    if value.isFirst then redis.call('UNLINK', key) end
    if value.count > 0 then WRITE[value.type](key, from, from + value.count - 1) end
    if value.lastId then close_stream(key, value.lastId) end
    redis.call('PEXPIREAT', key, deadline)
    from = from + value.count
end
return 1
