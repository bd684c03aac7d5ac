// Asks Java's own TLS trust manager about each folder given: anchor.pem, chain.pem, and server or client.
// Prints a line for each: "accepted", or the reason for refusing it.

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Collection;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

public class Verify {
    static X509Certificate[] read(Path file) throws Exception {
        try (InputStream in = Files.newInputStream(file)) {
            Collection<? extends Certificate> found = CertificateFactory.getInstance("X.509").generateCertificates(in);
            return found.toArray(new X509Certificate[0]);
        }
    }

    static String verdict(Path folder) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setCertificateEntry("anchor", read(folder.resolve("anchor.pem"))[0]);
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(store);
        X509TrustManager manager = (X509TrustManager) factory.getTrustManagers()[0];
        X509Certificate[] chain = read(folder.resolve("chain.pem"));
        try {
            if (Files.exists(folder.resolve("server"))) {
                manager.checkServerTrusted(chain, "UNKNOWN");
            } else {
                manager.checkClientTrusted(chain, "UNKNOWN");
            }
            return "accepted";
        } catch (java.security.cert.CertificateException refused) {
            return refused.getMessage().replace('\n', ' ');
        }
    }

    public static void main(String[] folders) throws Exception {
        for (String folder : folders) {
            System.out.println(verdict(Path.of(folder)));
        }
    }
}
