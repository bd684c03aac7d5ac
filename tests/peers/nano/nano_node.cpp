// The RPC server of a Nano node built with NANO_SECURE_RPC, as far as TLS shows it.
//
// Makes the node's calls to Boost.Asio and OpenSSL in the node's order: nano/lib/tlsconfig.cpp and
// nano/rpc/rpc_connection_secure.cpp of nanocurrency/nano-node V25.1; nano/rpc/rpc_secure.cpp of V22.1 has the
// same order. There is no ledger and one action. The settings come by the environment.

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>

#include <sys/prctl.h>

#include <cctype>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <string>

namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;

std::string setting(char const* name) {
    auto value = std::getenv(name);
    return value ? value : "";
}

bool is_set(char const* name) {
    return setting(name) == "true";
}

void log(std::string const& message) {
    std::ofstream file(setting("NANO_LOG"), std::ios::app);
    char stamp[32];
    auto now = std::time(nullptr);
    std::strftime(stamp, sizeof stamp, "%Y-%b-%d %H:%M:%S", std::localtime(&now));
    file << "[" << stamp << "]: " << message << std::endl;
}

// TLS ------------------------------------------------------------------------------------------------------

std::string words_for(int error) {
    switch (error) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        return "TLS: Unable to get issuer";
    case X509_V_ERR_CERT_NOT_YET_VALID:
    case X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD:
        return "TLS: Certificate not yet valid";
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD:
        return "TLS: Certificate expired";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return is_set("NANO_VERBOSE_LOGGING") ? "TLS: Self-signed certificate in chain" : "";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return "TLS: Self-signed certificate not in the list of trusted certs"
               " (forgot to subject-hash certificate filename?)";
    default:
        return "";
    }
}

void log_in_detail(X509_STORE_CTX* context, bool verified) {
    auto error = X509_STORE_CTX_get_error(context);
    if (error != X509_V_OK) {
        log(std::string("TLS: Error: ") + X509_verify_cert_error_string(error));
        log("TLS: Error chain depth : " + std::to_string(X509_STORE_CTX_get_error_depth(context)));
    }
    char subject[512];
    auto certificate = X509_STORE_CTX_get_current_cert(context);
    X509_NAME_oneline(X509_get_subject_name(certificate), subject, sizeof subject - 1);
    log(std::string("TLS: Verifying: ") + subject);
    log("TLS: Verification: " + std::to_string(verified));
}

bool verify(bool verified, ssl::verify_context& context) {
    auto error = X509_STORE_CTX_get_error(context.native_handle());
    auto words = words_for(error);
    if (!words.empty()) {
        log(words);
    }
    if (error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN) {
        verified = true; // whoever signed it: strangers who bring a root of their own get in
    }
    if (is_set("NANO_VERBOSE_LOGGING")) {
        log_in_detail(context.native_handle(), verified);
    } else if (!verified) {
        log("TLS: Pre-verification failed. Turn on verbose logging for more information.");
    }
    return verified;
}

// After the first call that fails none is made, and the last of them is to check clients.
void load(ssl::context& context) {
    try {
        context.set_password_callback([](std::size_t, ssl::context::password_purpose) {
            return setting("NANO_SERVER_KEY_PASSPHRASE");
        });
        SSL_CTX_set_session_cache_mode(context.native_handle(), SSL_SESS_CACHE_OFF);
        SSL_CTX_set_options(context.native_handle(), SSL_OP_NO_TICKET);
        context.set_options(ssl::context::default_workarounds | ssl::context::no_sslv2
                            | ssl::context::no_sslv3 | ssl::context::single_dh_use);
        context.use_certificate_chain_file(setting("NANO_SERVER_CERT_PATH"));
        context.use_private_key_file(setting("NANO_SERVER_KEY_PATH"), ssl::context::pem);
        context.use_tmp_dh_file(setting("NANO_SERVER_DH_PATH"));
        auto clients = setting("NANO_CLIENT_CERTS_PATH");
        if (!clients.empty()) {
            context.set_verify_mode(ssl::verify_fail_if_no_peer_cert | ssl::verify_peer);
            context.add_verify_path(clients);
            context.set_verify_callback(verify);
        }
        log("TLS: successfully configured");
    } catch (boost::system::system_error const& error) {
        auto words = std::string("Could not load certificate information: ") + error.what() + ". "
                     + setting("NANO_HINT");
        std::cerr << words << std::endl;
        log(words);
    }
}

// HTTP -----------------------------------------------------------------------------------------------------

std::string error_as_json(std::string const& message) {
    return "{\n    \"error\": \"" + message + "\"\n}\n";
}

std::string answer_to(std::string const& head, std::string const& body) {
    if (head.compare(0, 5, "POST ") != 0) {
        return error_as_json("Can only POST requests");
    }
    if (body.find("\"block_count\"") != std::string::npos) {
        return "{\n    \"count\": \"1\",\n    \"unchecked\": \"0\",\n    \"cemented\": \"1\"\n}\n";
    }
    auto is_request = body.find("\"action\"") != std::string::npos;
    return error_as_json(is_request ? "Unknown command" : "Unable to parse JSON");
}

std::string response(std::string const& body) {
    return "HTTP/1.1 200 OK\r\n"
           "Allow: POST, OPTIONS\r\n"
           "Content-Type: application/json\r\n"
           "Access-Control-Allow-Origin: *\r\n"
           "Connection: close\r\n"
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::size_t length_in(std::string head) {
    for (auto& character : head) {
        character = static_cast<char>(std::tolower(static_cast<unsigned char>(character)));
    }
    std::string const name("\r\ncontent-length:");
    auto place = head.find(name);
    return place == std::string::npos ? 0 : std::strtoul(head.c_str() + place + name.size(), nullptr, 10);
}

using Secured = ssl::stream<tcp::socket>;
using Then = std::function<void(error_code)>;

void shake_hands(tcp::socket&, Then then) {
    then(error_code());
}

void shake_hands(Secured& stream, Then then) {
    stream.async_handshake(ssl::stream_base::server, then);
}

void end(tcp::socket&, Then) {
}

void end(Secured& stream, Then then) {
    stream.async_shutdown(then);
}

// One request on one connection, which is closed when the last callback lets go of it.
template <typename Stream>
class Session : public std::enable_shared_from_this<Session<Stream>> {
public:
    explicit Session(Stream stream) : stream(std::move(stream)) {
    }

    void run() {
        shake_hands(stream, [self = this->shared_from_this()](error_code error) {
            error ? log("TLS: Handshake error: " + error.message()) : self->read_first();
        });
    }

private:
    void read_first() {
        asio::async_read(stream, asio::dynamic_buffer(data, limit), asio::transfer_at_least(1),
                         [self = this->shared_from_this()](error_code error, std::size_t) {
                             if (error) {
                                 log("RPC header error: " + error.message());
                             } else if (std::isgraph(static_cast<unsigned char>(self->data[0]))) {
                                 self->read_head();
                             } else { // such as the first message of TLS
                                 self->write(error_as_json("Invalid header: bad method"));
                             }
                         });
    }

    void read_head() {
        asio::async_read_until(
            stream, asio::dynamic_buffer(data, limit), "\r\n\r\n",
            [self = this->shared_from_this()](error_code error, std::size_t size) {
                error ? log("RPC header error: " + error.message()) : self->read_body(size);
            });
    }

    void read_body(std::size_t head) {
        auto whole = head + length_in(data.substr(0, head));
        auto missing = whole > data.size() ? whole - data.size() : 0;
        asio::async_read(
            stream, asio::dynamic_buffer(data, limit), asio::transfer_exactly(missing),
            [self = this->shared_from_this(), head](error_code error, std::size_t) {
                error ? log("RPC read error: " + error.message())
                      : self->write(answer_to(self->data.substr(0, head), self->data.substr(head)));
            });
    }

    void write(std::string const& body) {
        data = response(body);
        asio::async_write(stream, asio::buffer(data),
                          [self = this->shared_from_this()](error_code, std::size_t) {
                              end(self->stream, [self](error_code) {});
                          });
    }

    static constexpr std::size_t limit = 32 * 1024 * 1024; // max_request_size by default
    Stream stream;
    std::string data;
};

class Server {
public:
    Server(asio::io_context& io, tcp::endpoint endpoint, ssl::context* tls) : acceptor(io), tls(tls) {
        acceptor.open(endpoint.protocol());
        acceptor.set_option(tcp::acceptor::reuse_address(true));
        acceptor.bind(endpoint);
        acceptor.listen();
        accept();
    }

private:
    void accept() {
        acceptor.async_accept([this](error_code error, tcp::socket socket) {
            if (error) {
                log("Error accepting RPC connections: " + error.message());
            } else if (tls) {
                std::make_shared<Session<Secured>>(Secured(std::move(socket), *tls))->run();
            } else {
                std::make_shared<Session<tcp::socket>>(std::move(socket))->run();
            }
            accept();
        });
    }

    tcp::acceptor acceptor;
    ssl::context* tls;
};

} // namespace

int main() {
    prctl(PR_SET_PDEATHSIG, SIGTERM); // nothing is left behind, however the parent ends
    asio::io_context io;
    asio::signal_set ending(io, SIGINT, SIGTERM);
    ending.async_wait([&io](error_code, int) { io.stop(); });
    ssl::context tls(ssl::context::tlsv12_server);
    if (is_set("NANO_ENABLE_HTTPS") || is_set("NANO_ENABLE_WSS")) {
        load(tls);
    }
    try {
        auto port = static_cast<unsigned short>(std::stoul(setting("NANO_PORT")));
        tcp::endpoint endpoint(asio::ip::make_address_v6(setting("NANO_ADDRESS")), port);
        Server server(io, endpoint, is_set("NANO_ENABLE_HTTPS") ? &tls : nullptr);
        io.run();
    } catch (boost::system::system_error const& error) {
        std::cerr << "Error while running node (" << error.code().message() << ")" << std::endl;
    }
}
