import Primitives

/// One call of a batch.
struct JSONRPCCall: Sendable, Equatable {
    let method: String
    /// The parameters as the text of a JSON array.
    let parameters: [UInt8]

    /// Makes a call; `parameters` writes the elements of the array.
    init(_ method: String, _ parameters: (inout JSONText) -> Void = { _ in }) {
        self.method = method
        var text = JSONText()
        text.array(parameters)
        self.parameters = text.bytes
    }
}

/// Why bytes are not the answer to a JSON-RPC 2.0 batch.
package enum JSONRPCFault: Error, Sendable, Equatable {
    /// Not JSON, or nested or large beyond what is read.
    case notJSON
    /// Not an array of responses.
    case notABatch
    /// An element is not a response object with a version, an integer id and either a result or an error.
    case badResponse
    /// An id that no call has.
    case unknownID
    /// Two responses to one call.
    case duplicateID
    /// A call has no response.
    case missingID
}

extension JSONRPCFault: CustomStringConvertible {
    /// A verb and its object, to stand behind an endpoint's name.
    package var description: String {
        switch self {
        case .notJSON: "answered with what is not JSON"
        case .notABatch: "did not answer with a batch"
        case .badResponse: "answered with what is not a JSON-RPC 2.0 response"
        case .unknownID: "answered a call that was not made"
        case .duplicateID: "answered a call twice"
        case .missingID: "left a call unanswered"
        }
    }
}

/// Writes and reads JSON-RPC 2.0 batches, whose calls are numbered from 1.
enum JSONRPCBatch {
    /// An endpoint's own words on why it does not answer; not to be shown before they are cut.
    struct Refusal: Error, Equatable {
        let code: Int64
        let message: String
    }

    /// Characters of an error's text that are kept.
    static let textLimit = 128

    static func encode(_ calls: [JSONRPCCall]) -> [UInt8] {
        var text = JSONText()
        text.array { batch in
            for (index, call) in calls.enumerated() {
                batch.object { object in
                    object.field("jsonrpc", "2.0")
                    object.field("id", Int64(index + 1))
                    object.field("method", call.method)
                    object.field("params", raw: call.parameters)
                }
            }
        }
        return text.bytes
    }

    /// The responses to calls 1 to `count` in the order of the calls, in whatever order they came.
    ///
    /// A lone error object instead of an array is how servers refuse a whole batch: it is the answer to each call.
    static func decode(
        _ bytes: [UInt8], count: Int
    ) throws(JSONRPCFault) -> [Result<JSONValue, Refusal>] {
        let document: JSONValue
        do { document = try JSONReader.read(bytes) } catch { throw .notJSON }
        guard let elements = document.elements else {
            guard let error = document["error"] else { throw .notABatch }
            return Array(repeating: .failure(try refusal(error)), count: count)
        }
        var responses = [Result<JSONValue, Refusal>?](repeating: nil, count: count)
        for element in elements {
            guard element["jsonrpc"]?.string == "2.0", let id = element["id"]?.integer else { throw .badResponse }
            guard id >= 1, id <= count else { throw .unknownID }
            let index = Int(id) - 1
            guard responses[index] == nil else { throw .duplicateID }
            switch (element["result"], element["error"]) {
            case (let result?, nil): responses[index] = .success(result)
            case (nil, let error?): responses[index] = .failure(try refusal(error))
            default: throw .badResponse
            }
        }
        let complete = responses.compactMap(\.self)
        guard complete.count == count else { throw .missingID }
        return complete
    }

    private static func refusal(_ error: JSONValue) throws(JSONRPCFault) -> Refusal {
        guard let code = error["code"]?.integer, let message = error["message"]?.string else { throw .badResponse }
        return Refusal(code: code, message: message)
    }

    /// A text from outside as it may be shown: printable ASCII, everything else as `?`, at most 128 characters.
    static func shown(_ text: String) -> String {
        String(decoding: text.unicodeScalars.prefix(textLimit).map(Self.shown), as: UTF8.self)
    }

    private static func shown(_ scalar: Unicode.Scalar) -> UInt8 {
        scalar.value >= 0x20 && scalar.value < 0x7f ? UInt8(truncatingIfNeeded: scalar.value) : UInt8(ascii: "?")
    }
}
