-- Runs commands for each of some numbers.
-- ARGV[1] JSON [[argument, …], …]; an argument is a text, or its pieces, where 1 stands for the number in twelve digits
--         and 2 for its time · ARGV[2] and ARGV[3] first and last number · ARGV[4] time of number 0 in milliseconds
local commands = cjson.decode(ARGV[1])

-- What changes from one number to the next.
local changing = {}
for _, command in ipairs(commands) do
    for at, argument in ipairs(command) do
        if type(argument) == 'table' then changing[#changing + 1] = { command, at, argument, {} } end
    end
end

for n = tonumber(ARGV[2]), tonumber(ARGV[3]) do
    local values = { string.format('%012d', n), string.format('%d', ARGV[4] + n) }
    for _, change in ipairs(changing) do
        local command, at, pieces, text = unpack(change)
        for place, piece in ipairs(pieces) do text[place] = values[piece] or piece end
        command[at] = #pieces == 1 and text[1] or table.concat(text)
    end
    for _, command in ipairs(commands) do redis.call(unpack(command)) end
end
