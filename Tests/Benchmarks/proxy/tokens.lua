-- Each of wrk's threads is an agent with a token of its own, read from the file that the first argument names.
local count = 0

function setup(thread)
    count = count + 1
    thread:set("number", count)
end

function init(args)
    local line = 0
    for token in io.lines(args[1]) do
        line = line + 1
        if line == number then wrk.headers["Authorization"] = "Bearer " .. token end
    end
end
